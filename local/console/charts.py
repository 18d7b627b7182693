"""Two small charts of the last weeks as SVG, without a style of their own (pure)."""

from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from metrics.figures import Week

WEEKS: Final = 13
WIDTH, HEIGHT, MARGIN = 260, 84, 14

type Chart = dict[str, Any]

_SVG = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    "{}</svg>"
)
_TEXT = Markup('<text x="{}" y="{}" font-size="10" fill="currentColor" text-anchor="{}">{}</text>')
_LINE = Markup('<polyline class="first" fill="none" stroke="currentColor" stroke-width="2" points="{}"/>')
_DOT = Markup('<circle class="first" fill="currentColor" cx="{}" cy="{}" r="3"/>')
_BAR = Markup('<rect class="{}" fill="{}" stroke="currentColor" x="{}" y="{}" width="{}" height="{}"/>')
_AXIS = Markup('<path class="axis" stroke="currentColor" stroke-opacity=".3" d="M0 {}H{}"/>')


def backlog(weeks: Sequence[Week]) -> Chart:
    """Return the issues open at each week's end."""
    shown = weeks[-WEEKS:]
    values = [week.backlog for week in shown]
    top, step = max(*values, 1), (WIDTH - 2 * MARGIN) / max(len(values) - 1, 1)
    first = WIDTH - MARGIN - step * (len(values) - 1)
    points = [
        (round(first + place * step, 1), round(HEIGHT - MARGIN - (HEIGHT - 2.5 * MARGIN) * value / top, 1))
        for place, value in enumerate(values)
    ]
    parts = [
        _AXIS.format(HEIGHT - MARGIN, WIDTH),
        _LINE.format(" ".join(f"{x},{y}" for x, y in points)),
        _DOT.format(*points[-1]),
        _TEXT.format(WIDTH - 2, points[-1][1] - 7, "end", f"{values[-1]:,} open"),
        *_ends(shown),
    ]
    label = f"Line chart. Issues open at each week's end: {', '.join(f'{value:,}' for value in values)}."
    return {"title": "Open at each week's end", "svg": _svg(label, parts)}


def opened_and_closed(weeks: Sequence[Week]) -> Chart:
    """Return what was opened, filled, and closed, in outline, in each week."""
    shown = weeks[-WEEKS:]
    top = max(1, *(max(week.opened, week.closed) for week in shown))
    slot = min((WIDTH - 2 * MARGIN) / len(shown), 40)
    parts = [_AXIS.format(HEIGHT - MARGIN, WIDTH)]
    for place, week in enumerate(shown):
        left = WIDTH - MARGIN - slot * (len(shown) - place)
        for at, (kind, fill, value) in enumerate(
            (("first", "currentColor", week.opened), ("second", "none", week.closed))
        ):
            height = round((HEIGHT - 2.5 * MARGIN) * value / top, 1)
            x = round(left + slot * (0.1 + 0.42 * at), 1)
            parts.append(_BAR.format(kind, fill, x, HEIGHT - MARGIN - height, round(slot * 0.36, 1), height))
    last = shown[-1]
    parts += [
        _TEXT.format(WIDTH - 2, 10, "end", f"{last.opened:,} opened, {last.closed:,} closed"),
        *_ends(shown),
    ]
    weeks_text = ", ".join(f"{week.week:%d %b}: {week.opened:,} and {week.closed:,}" for week in shown)
    label = f"Bar chart. Issues opened and closed each week. {weeks_text}."
    return {"title": "Opened (filled) and closed, by week", "svg": _svg(label, parts)}


def _ends(weeks: Sequence[Week]) -> list[Markup]:
    """Return the first and the last week below the axis."""
    first, last = weeks[0].week, weeks[-1].week
    found = [_TEXT.format(WIDTH - 2, HEIGHT - 3, "end", f"{last:%d %b}")]
    return found if first == last else [_TEXT.format(2, HEIGHT - 3, "start", f"{first:%d %b}"), *found]


def _svg(label: str, parts: Sequence[Markup]) -> str:
    return str(_SVG.format(WIDTH, HEIGHT, label, Markup("").join(parts)))
