"""Draws a message as lines of text."""

import re
from collections.abc import Mapping
from typing import Any

from local.slack.message import Message
from local.slack.rendering.mrkdwn import Names, decode, with_emoji, write

_LABEL = re.compile(r":?\n")  # between a field's first line, its label, and its value


class _Terminal:
    """Links as `label (url)`, or as the label alone."""

    def __init__(self, *, urls: bool) -> None:
        self._urls = urls

    def plain(self, text: str, *, emoji: bool = True) -> str:
        return with_emoji(decode(text)) if emoji else decode(text)

    def wrap(self, tag: str, inner: str) -> str:
        if tag == "blockquote":
            return "\n".join(f"│ {line}" for line in inner.split("\n"))
        return f"`{inner}`" if tag == "code" else inner

    def refer(self, kind: str, label: str, address: str) -> str:
        shown, target = self.plain(label), decode(address).removeprefix("mailto:")
        return f"{shown} ({target})" if kind == "link" and self._urls and shown != target else shown


_LONG, _SHORT = _Terminal(urls=True), _Terminal(urls=False)


def as_text(message: Message, names: Names | None = None, *, width: int = 100) -> str:
    """Write a message as lines; a line wider than `width` characters loses the addresses of its links."""
    names = names or Names()
    blocks = message.blocks or [{"type": "section", "text": {"type": "mrkdwn", "text": message.text}}]
    lines = [_block(block, names, width) for block in blocks]
    lines += [f"▌ {write(each['text'], _SHORT, names)}" for each in message.attachments]
    return "\n".join(line for line in lines if line)


def rich_text(part: Mapping[str, Any]) -> str:
    """Write a part of a rich text without its style."""
    if part["type"] == "emoji":
        return with_emoji(f":{part.get('name', '')}:")
    between = "\n" if part["type"] == "rich_text_list" else ""
    inner = between.join(rich_text(item) for item in part.get("elements", ()))
    return str(part.get("text") or part.get("url", "")) + inner


def _block(block: Mapping[str, Any], names: Names, width: int) -> str:
    def element(item: Mapping[str, Any]) -> str:
        return _element(item, names, width)

    match block["type"]:
        case "section":
            parts = [element(block[name]) for name in ("text", "accessory") if name in block]
            return "\n".join(parts + [_LABEL.sub(": ", element(item), 1) for item in block.get("fields", ())])
        case "context" | "actions":
            items = [element(item) for item in block["elements"]]
            line = " ".join(items)  # a card's own separators stand between them
            return line if len(line) <= width else "\n".join(items)
        case "rich_text":
            return "\n".join(rich_text(part) for part in block["elements"])
        case "header" | "image":
            return element(block.get("text", block))
        case "divider":
            return "─" * min(width, 40)
        case other:
            return f"[{other}]"


def _element(item: Mapping[str, Any], names: Names, width: int) -> str:
    match item["type"]:
        case "button":
            label = f"[{_SHORT.plain(item['text']['text'])}]"
            full = f"{label} ({item['url']})" if "url" in item else label
            return full if len(full) <= width else label
        case "image":
            return f"[{item['alt_text']}]"
        case "plain_text":
            return _SHORT.plain(item["text"], emoji=item.get("emoji", True))
        case _:
            versions = (write(item["text"], medium, names).split("\n") for medium in (_LONG, _SHORT))
            lines = zip(*versions, strict=True)
            return "\n".join(long if len(long) <= width else short for long, short in lines)
