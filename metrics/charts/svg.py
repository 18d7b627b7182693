"""From a matplotlib figure to inline SVG that takes its colours and its font from the page.

matplotlib draws in placeholder colours; here they become CSS variables, so that one drawing suits light mode,
dark mode and paper. The SVG refers to nothing outside, and its ids are unique in the page.
"""

import io
import re
from enum import Enum
from xml.etree import ElementTree as ET

from matplotlib.figure import Figure

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
FONT = re.compile(r"font-family: [^;]*;? ?")
LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
REFERENCE = re.compile(r"url\(#([^)]+)\)")


class Ink(Enum):
    """Placeholder colours: matplotlib draws with the value, and a CSS variable replaces it."""

    TEXT = "#010203"
    MUTED = "#020304"
    GRID = "#030405"
    FIRST = "#040506"
    SECOND = "#050607"
    SOFT = "#060708"
    PAPER = "#070809"

    @property
    def variable(self) -> str:
        """Return the CSS value."""
        return f"var(--{self.name.lower()})"


def inline(figure: Figure, name: str, label: str) -> str:
    """Return the figure as an <svg> whose accessible name is `label`.

    `name` is the prefix of its ids; the part after the last hyphen is its class.
    """
    drawn = io.StringIO()
    figure.savefig(
        drawn,
        format="svg",
        transparent=True,
        metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
    )
    root = ET.fromstring(drawn.getvalue())  # noqa: S314 - matplotlib wrote it, from numbers only
    _trim(root)
    _rename(root, name)
    for element in root.iter():
        _restyle(element)
    view_box, kind = root.get("viewBox", ""), name.rpartition("-")[2]
    root.attrib.clear()
    root.attrib |= {"viewBox": view_box, "role": "img", "aria-label": label, "class": kind}
    return ET.tostring(root, encoding="unicode", short_empty_elements=True)


def _trim(root: ET.Element) -> None:
    """Remove what only a separate file needs."""
    for parent in list(root.iter()):
        for child in list(parent):
            is_removed = child.tag == f"{SVG}metadata" or (
                child.tag == f"{SVG}defs" and child.find(f"{SVG}style") is not None
            )
            if is_removed:
                parent.remove(child)


def _rename(root: ET.Element, name: str) -> None:
    """Rename the ids that are referred to, and drop the others; matplotlib's repeat in every figure."""
    used: dict[str, str] = {}

    def new(old: str) -> str:
        return used.setdefault(old, f"{name}-{len(used)}")

    for element in root.iter():
        target = element.attrib.pop(HREF, None)
        if target is not None:
            element.set("href", "#" + new(target.removeprefix("#")))
        for key, value in element.attrib.items():
            element.set(key, REFERENCE.sub(lambda match: f"url(#{new(match[1])})", value))
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old in used:
            element.set("id", used[old])


def _restyle(element: ET.Element) -> None:
    element.tag = element.tag.removeprefix(SVG)  # inside HTML, elements of SVG need no namespace
    element.text = (element.text or "").strip() or None
    element.tail = None
    for key, value in element.attrib.items():
        text = FONT.sub("", value)
        for ink in Ink:
            text = text.replace(ink.value, ink.variable)
        if key in {"d", "x", "y", "transform", "points"}:
            text = LONG_NUMBER.sub(lambda match: f"{float(match[0]):.2f}", text)
        element.set(key, " ".join(text.split()))
