"""The charts as pictures."""

import io
import re

import pytest
from PIL import Image

from metrics.charts import counts
from metrics.charts.png import COLOURS, png
from metrics.charts.svg import Ink
from tests.support.checkout import ROOT
from tests.support.reports import weeks


@pytest.mark.slow
def test_a_picture_has_the_colours_of_the_page() -> None:
    """The backlog's picture has the page's colours for its line, area, text and paper, and no placeholder."""
    picture = Image.open(io.BytesIO(png(counts.backlog_line(weeks(5)))))
    assert (picture.format, picture.size) == ("PNG", (880, 500))
    pixels = picture.convert("RGB").tobytes().hex()
    found = {f"#{pixels[start : start + 6]}" for start in range(0, len(pixels), 6)}
    assert found >= {COLOURS[ink] for ink in (Ink.FIRST, Ink.SOFT, Ink.MUTED, Ink.PAPER)}
    assert not found & {ink.value for ink in Ink}


def test_a_picture_looks_like_the_page_in_light_mode() -> None:
    """The colours are those that the report's style sheet has first."""
    sheet = (ROOT / "ops" / "report" / "report.css").read_text().partition("@media")[0]
    assert dict(re.findall("--([a-z]+): (#[0-9a-f]{6});", sheet)) == {
        **{ink.name.lower(): colour for ink, colour in COLOURS.items()},
        **dict(re.findall("--(panel): (#[0-9a-f]{6});", sheet)),
    }
