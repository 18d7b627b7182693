"""Constructs and entities of Slack's text; docs.slack.dev/messaging/formatting-message-text."""

import re
from collections.abc import Iterator
from typing import Final

_ENTITY = r"&(?:amp|lt|gt);"
_ADDRESS = rf"(?:[^\s<>|&]|{_ENTITY})+"
_LABEL = rf"(?:[^<>|&\n]|{_ENTITY})+"

# A construct in angle brackets: a link, a mention or a date.
CONTROL: Final = re.compile(
    rf"<(?:(?P<url>(?:https?://|mailto:){_ADDRESS})"
    r"|@(?P<user>[UW][A-Z0-9]+)"
    r"|#(?P<channel>C[A-Z0-9]+)"
    r"|!(?P<special>here|channel|everyone)"
    r"|!subteam\^(?P<group>S[A-Z0-9]+)"
    r"|!date\^(?P<stamp>\d{1,11})\^(?P<format>[^<>|^&\n]+)"
    rf"(?:\^(?P<date_url>https?://{_ADDRESS}))?(?=\|))"
    rf"(?:\|(?P<label>{_LABEL}))?>"
)
_RESERVED = re.compile(r"[<>&]")
_WHOLE_ENTITY = re.compile(_ENTITY)


def unescaped(text: str, at: str, *, controls: bool) -> Iterator[tuple[str, str]]:
    """Yield the first < > or & that neither belongs to an entity nor, with controls, to a construct."""
    position = 0
    while reserved := _RESERVED.search(text, position):
        start = reserved.start()
        whole = _WHOLE_ENTITY.match(text, start) or (CONTROL.match(text, start) if controls else None)
        if whole is None:
            yield f"unescaped {text[start]} at character {start}: {text[start : start + 24]!r}", at
            return
        position = whole.end()
