"""The blocks that the page can draw, with the limits of docs.slack.dev/reference/block-kit."""

from typing import Any, Final

from local.slack.rules.schema import (
    MAX_DEPTH,
    Check,
    Fields,
    Found,
    any_object,
    array,
    boolean,
    by_type,
    choice,
    fields,
    string,
    text,
    url,
)

MAX_BLOCKS: Final = 50

_PLAIN = "plain_text"
_MRKDWN = "mrkdwn"
_RICH_ITEMS = 40_000  # Slack documents no limit
_TYPE: Fields = {"type": (True, string())}
_ID = string(255, least=1)
_STYLE = choice("primary", "danger")
_IMAGE: Fields = _TYPE | {"image_url": (True, url), "alt_text": (True, string(2000, least=1))}
_CONFIRM = fields(
    {
        "title": (True, text(100, _PLAIN)),
        "text": (True, text(300, _PLAIN)),
        "confirm": (True, text(30, _PLAIN)),
        "deny": (True, text(30, _PLAIN)),
        "style": (False, _STYLE),
    }
)
_BUTTON = fields(
    _TYPE
    | {
        "text": (True, text(75, _PLAIN)),
        "action_id": (False, _ID),
        "url": (False, url),
        "value": (False, string(2000)),
        "style": (False, _STYLE),
        "confirm": (False, _CONFIRM),
        "accessibility_label": (False, string(75, least=1)),
    }
)
_CONTEXT = {_MRKDWN: text(3000, _MRKDWN), _PLAIN: text(3000, _PLAIN), "image": fields(_IMAGE)}


def _block(**known: tuple[bool, Check]) -> Check:
    return fields(_TYPE | {"block_id": (False, _ID), **known})


_SECTION = _block(
    text=(False, text(3000, _MRKDWN, _PLAIN)),
    fields=(False, array(text(2000, _MRKDWN, _PLAIN), least=1, most=10)),
    accessory=(False, by_type({"button": _BUTTON, "image": fields(_IMAGE)})),
    expand=(False, boolean),
)


def _section(value: Any, at: str) -> Found:
    yield from _SECTION(value, at)
    if not {"text", "fields"} & value.keys():
        yield "missing required field: text", at


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
            "header": _block(text=(True, text(150, _PLAIN))),
            "section": _section,
            "context": _block(elements=(True, array(by_type(_CONTEXT), least=1, most=10))),
            "actions": _block(elements=(True, array(by_type({"button": _BUTTON}), least=1, most=25))),
            "divider": _block(),
            "image": _block(**_IMAGE, title=(False, text(2000, _PLAIN))),
            "rich_text": _block(elements=(True, array(_rich_part, least=1, most=_RICH_ITEMS))),
        }
    ),
    most=MAX_BLOCKS,
)
