"""The playground's page and the files that it loads; nothing comes from another host."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
MESSAGES = FOLDER.parents[1] / "slack" / "rendering" / "message.css"  # how Slack's messages look
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def render(channels: Sequence[Mapping[str, Any]]) -> str:
    """Return the page, which fetches all that changes; without JavaScript it shows Slack's messages."""
    return _template().render(channels=channels)


@cache
def _template() -> Template:
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("playground.html.j2")


def static_file(name: str) -> tuple[bytes, str] | None:
    """Return the content of a file that the page loads and its Content-Type; None if there is no such file.

    The names are favicon.svg, slack.css, and those of the style sheet and the scripts that the page names.
    """
    return _static_files().get(name)


@cache
def _static_files() -> dict[str, tuple[bytes, str]]:
    files = {path.name: (path.read_bytes(), CONTENT_TYPES[path.suffix]) for path in STATIC.iterdir()}
    # The style of Slack's messages must not reach the rest of the page.
    slack = b".slack {\n" + MESSAGES.read_bytes() + b"}\n"
    return files | {"slack.css": (slack, CONTENT_TYPES[".css"])}
