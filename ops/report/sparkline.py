"""A small line without axes: as SVG for the page, as block characters for Markdown."""

from collections.abc import Sequence

from markupsafe import Markup

from metrics import wording

WIDTH, HEIGHT, MARGIN = 104, 24, 3
BLOCKS = "▁▂▃▄▅▆▇█"


def svg(values: Sequence[int]) -> Markup | str:
    """Return the line from zero to the highest value, with a dot at its end; no line without values."""
    if not values:
        return ""
    top = max(*values, 1)
    step = (WIDTH - 2 * MARGIN) / max(len(values) - 1, 1)
    first = WIDTH - MARGIN - step * (len(values) - 1)
    points = [
        (first + index * step, HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / top)
        for index, value in enumerate(values)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(
        '<svg class="trend" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polyline points="{}"></polyline><circle cx="{:.1f}" cy="{:.1f}" r="2.5"></circle></svg>'
    ).format(WIDTH, HEIGHT, _label(values), line, x, y)


def blocks(values: Sequence[int]) -> str:
    """Return a block for each value, from zero to the highest."""
    top = max(*values, 1) if values else 1
    return "".join(BLOCKS[round(value / top * (len(BLOCKS) - 1))] for value in values)


def _label(values: Sequence[int]) -> str:
    weeks = len(values) - 1
    before = f"{values[0]:,} open {wording.count(weeks, 'week')} ago, " if weeks else ""
    return f"Line chart. Issues open at each week's end. {before}{values[-1]:,} now."
