"""A chart as a PNG, for places that show no SVG: the report's drawing, in the light colours of its page.

matplotlib draws it alone, with the font that it brings along.
"""

import io
from collections.abc import Mapping
from types import MappingProxyType

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.colors import to_hex, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from metrics.charts.drawing import SETTINGS, Draw, Size
from metrics.charts.svg import Ink

SIZE = Size(name="picture", width=440, height=250, ticks=5)  # a phone shrinks it to 300
MARGIN = 8  # pixels, beside Slack's own frame
PIXELS = 2  # for each pixel of the page, so that it is sharp on a dense screen
COLOURS: Mapping[Ink, str] = MappingProxyType(  # those of ops/report/report.css
    {
        Ink.TEXT: "#1b1f24",
        Ink.MUTED: "#59636e",
        Ink.GRID: "#dfe3e8",
        Ink.FIRST: "#0b5fa5",
        Ink.SECOND: "#b34700",
        Ink.SOFT: "#e3eef8",
        Ink.PAPER: "#ffffff",
    }
)
_BY_PLACEHOLDER = {ink.value: colour for ink, colour in COLOURS.items()}
_PROPERTIES = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")


def png(draw: Draw) -> bytes:
    """Return the chart; the same numbers give the same bytes."""
    drawn = io.BytesIO()
    with mpl.rc_context(SETTINGS):
        layout = ConstrainedLayoutEngine(w_pad=MARGIN / 72, h_pad=MARGIN / 72)
        figure = Figure(figsize=(SIZE.width / 72, SIZE.height / 72), dpi=72, layout=layout)
        draw(figure.add_subplot(), SIZE)
        for artist in figure.findobj():
            _recolour(artist)
        figure.savefig(
            drawn,
            format="png",
            dpi=72 * PIXELS,
            facecolor=COLOURS[Ink.PAPER],
            metadata={"Software": None},
        )
    return drawn.getvalue()


def _recolour(artist: Artist) -> None:
    """Replace the placeholders among the artist's colours."""
    for name in _PROPERTIES:
        read, write = getattr(artist, f"get_{name}", None), getattr(artist, f"set_{name}", None)
        if read and write:
            colours = {to_hex(colour) for colour in to_rgba_array(read())}
            for placeholder in colours & _BY_PLACEHOLDER.keys():
                write(_BY_PLACEHOLDER[placeholder])
