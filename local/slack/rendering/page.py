"""Draws the console page: one file that looks like Slack and needs no network."""

import html
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from local.slack.message import Message
from local.slack.rendering.mrkdwn import Names, decode, with_emoji, write
from local.slack.rendering.terminal import rich_text

_BLOCK_TAG = re.compile(r"\n?(<(?:blockquote|pre)>)|(</(?:blockquote|pre)>)\n?")


class _Html:
    def plain(self, text: str, *, emoji: bool = True) -> str:
        escaped = html.escape(decode(text))
        return with_emoji(escaped) if emoji else escaped

    def wrap(self, tag: str, inner: str) -> str:
        return f"<{tag}>{inner}</{tag}>"

    def refer(self, kind: str, label: str, address: str) -> str:
        if kind == "date":
            return self.plain(label)
        if kind == "link":
            href = html.escape(_safe_url(decode(address)))
            return f'<a href="{href}" target="_blank" rel="noopener noreferrer">{self.plain(label)}</a>'
        return f'<span class="{kind}">{self.plain(label, emoji=False)}</span>'


_HTML = _Html()


def render_page(messages: Sequence[Message], names: Names, *, refresh: int | None = None) -> str:
    """Draw every channel of names and any other with messages, newest message last.

    refresh: seconds after which the browser loads the page again; None never.
    """
    by_channel: dict[str, list[Message]] = {channel: [] for channel in names.channels}
    for message in sorted(messages, key=lambda message: message.ts):
        by_channel.setdefault(message.channel, []).append(message)
    page = _template("page.html.j2")
    return page.render(channels=by_channel, total=len(messages), refresh=refresh, names=names)


def render_message(message: Message, names: Names) -> str:
    """Draw one message without its replies."""
    drawing: Any = _template("message.html.j2").make_module({"names": names})
    return str(drawing.article(message, ()))


@cache
def _template(name: str) -> Template:
    """Compile a template once, and only if it is drawn: that of the page takes 30 ms."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"words": _words, "refer": _refer, "rich_text": rich_text, "safe_url": _safe_url}
    return environment.get_template(name, globals={"threads": _threads})


def _threads(posted: Sequence[Message]) -> tuple[list[Message], dict[str, list[Message]]]:
    """Return the messages outside of threads, and the replies by the ts of their parent."""
    parents = {message.ts for message in posted if message.thread_ts in {None, message.ts}}
    tops: list[Message] = []
    replies: dict[str, list[Message]] = {}
    for message in posted:
        if message.ts in parents or message.thread_ts not in parents:
            tops.append(message)
        else:
            replies.setdefault(message.thread_ts, []).append(message)
    return tops, replies


def _words(item: Mapping[str, Any], names: Names) -> Markup:
    """Write a text object."""
    if item["type"] != "mrkdwn":
        return Markup(_HTML.plain(item["text"], emoji=item.get("emoji", True)))
    # A line break beside a quote or a code block would show as an empty line.
    return Markup(_BLOCK_TAG.sub(r"\1\2", write(item["text"], _HTML, names)))


def _refer(label: str, kind: str, address: str = "") -> Markup:
    return Markup(_HTML.refer(kind, label, address))


def _safe_url(url: str) -> str:
    return url if url.startswith(("https://", "http://", "mailto:")) else "#"
