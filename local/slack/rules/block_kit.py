"""The blocks that the page can draw, with the limits of docs.slack.dev/reference/block-kit."""

from types import MappingProxyType
from typing import Any, Final

from local.slack.rules.schema import (
    MAX_DEPTH,
    Check,
    Checks,
    Found,
    any_object,
    array,
    boolean,
    by_type,
    fields,
    string,
    text,
)

MAX_BLOCKS: Final = 50

_PLAIN = "plain_text"
_MRKDWN = "mrkdwn"
_RICH_ITEMS = 40_000  # Slack documents no limit
_NONE: Checks = MappingProxyType({})
_ID = string(255, least=1)
_STYLE = string(pattern="primary|danger", sentence="must be one of: primary, danger")
_URL = string(3000, least=1, pattern=r"https?://[^\s/][^\s]*", sentence="must be an http or https URL")
_IMAGE: Checks = {"type": string(), "image_url": _URL, "alt_text": string(2000, least=1)}
_SLACK_FILE = fields({"id": string(least=1)})
_ANSWER = text(30, _PLAIN)
_CONFIRM = fields(
    {"title": text(100, _PLAIN), "text": text(300, _PLAIN), "confirm": _ANSWER, "deny": _ANSWER},
    {"style": _STYLE},
)
_BUTTON = fields(
    {"type": string(), "text": text(75, _PLAIN)},
    {
        "action_id": _ID,
        "url": _URL,
        "value": string(2000),
        "style": _STYLE,
        "confirm": _CONFIRM,
        "accessibility_label": string(75, least=1),
    },
)
_CONTEXT = {_MRKDWN: text(3000, _MRKDWN), _PLAIN: text(3000, _PLAIN), "image": fields(_IMAGE)}


def _block(required: Checks = _NONE, optional: Checks = _NONE) -> Check:
    return fields({"type": string(), **required}, {"block_id": _ID, **optional})


_SECTION = _block(
    optional={
        "text": text(3000, _MRKDWN, _PLAIN),
        "fields": array(text(2000, _MRKDWN, _PLAIN), least=1, most=10),
        "accessory": by_type({"button": _BUTTON, "image": fields(_IMAGE)}),
        "expand": boolean,
    }
)


def _section(value: Any, at: str) -> Found:
    yield from _SECTION(value, at)
    if not {"text", "fields"} & value.keys():
        yield "missing required field: text", at


def _image(value: Any, at: str) -> Found:
    source = {"slack_file": _SLACK_FILE} if "slack_file" in value else {"image_url": _URL}
    yield from _block({"alt_text": _IMAGE["alt_text"], **source}, {"title": text(2000, _PLAIN)})(value, at)


def _rich_part(value: Any, at: str) -> Found:
    """Check types only: sections, lists, quotes and code whose elements carry strings."""
    yield from any_object(value, at)
    if isinstance(value, dict):
        for name in sorted({"text", "url", "name"} & value.keys() | {"type"}):
            yield from string()(value.get(name), f"{at}/{name}")
        if at.count("/") < MAX_DEPTH and "elements" in value:
            yield from array(_rich_part, most=_RICH_ITEMS)(value["elements"], f"{at}/elements")


check_block_list: Final = array(
    by_type(
        {
            "header": _block({"text": text(150, _PLAIN)}),
            "section": _section,
            "context": _block({"elements": array(by_type(_CONTEXT), least=1, most=10)}),
            "actions": _block({"elements": array(by_type({"button": _BUTTON}), least=1, most=25)}),
            "divider": _block(),
            "image": _image,
            "rich_text": _block({"elements": array(_rich_part, least=1, most=_RICH_ITEMS)}),
        }
    ),
    most=MAX_BLOCKS,
)
