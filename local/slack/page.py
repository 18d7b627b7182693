"""Draws posted messages: as one self-contained page that looks like Slack, and as plain text for a terminal.

Pure, and without a network: pictures are named, not fetched. Texts are taken as checked by rules.py.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import partial
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final

from local.slack.rules import CONTROL

_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})
_CODE = re.compile(r"```(?P<fence>.+?)```|`(?P<code>[^`\n]+)`", re.DOTALL)
_MARKS = (
    ("b", re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")),
    ("i", re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])")),
    ("s", re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])")),
)
_BLOCK_TAG = re.compile(r"\n?(<(?:blockquote|pre)>)|(</(?:blockquote|pre)>)\n?")
_DATE_TOKEN = re.compile(r"\{(\w+)\}")
_LABEL = re.compile(r":?\n")  # between a field's first line, its label, and its value
_NEW_TAB = 'target="_blank" rel="noopener noreferrer"'
_RICH_TAGS = {
    "rich_text_section": 'div class="text"',
    "rich_text_list": "ul",
    "rich_text_quote": "blockquote",
    "rich_text_preformatted": "pre",
}
_EMOJI_NAME = re.compile(r":([a-z0-9_+-]+):")
_EMOJI = {
    "arrows_counterclockwise": "🔄",
    "bell": "🔔",
    "bug": "🐛",
    "bust_in_silhouette": "👤",
    "card_index_dividers": "🗂️",
    "eyes": "👀",
    "fire": "🔥",
    "hourglass": "⌛",
    "label": "🏷️",
    "large_blue_circle": "🔵",
    "large_green_circle": "🟢",
    "large_purple_circle": "🟣",
    "large_yellow_circle": "🟡",
    "lock": "🔒",
    "memo": "📝",
    "no_entry_sign": "🚫",
    "red_circle": "🔴",
    "rocket": "🚀",
    "rotating_light": "🚨",
    "speech_balloon": "💬",
    "tada": "🎉",
    "unlock": "🔓",
    "warning": "⚠️",
    "white_check_mark": "✅",
    "white_circle": "⚪",
    "wastebasket": "🗑️",
    "x": "❌",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One kept message, as it stands now; via is "api" or "webhook".

    ts, thread_ts and edited are Slack's "seconds.microseconds". edited is the time of its newest update, None
    when that had blocks: Slack does not mark it.
    """

    channel: str
    ts: str
    text: str
    blocks: Sequence[Mapping[str, Any]] = ()
    metadata: Mapping[str, Any] | None = None
    thread_ts: str | None = None
    via: str = "api"
    edited: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a reader sees in place of ids, and the zone of the times shown; users are user groups too."""

    channels: Mapping[str, str] = field(default=_NOBODY)
    users: Mapping[str, str] = field(default=_NOBODY)
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pen:
    """How one medium writes: plain words, a styled piece, a link or a mention (kind, words, address)."""

    plain: Callable[[str], str]
    wrap: Callable[[str, str], str]
    refer: Callable[[str, str, str], str]
    names: Names


def render_page(messages: Sequence[Message], names: Names, *, refresh: int | None = None) -> str:
    """Draw every channel of names, and any other that holds messages, newest message last.

    refresh: seconds after which the browser loads the page again; None never.
    """
    by_channel: dict[str, list[Message]] = {channel: [] for channel in names.channels}
    for message in sorted(messages, key=lambda message: message.ts):
        by_channel.setdefault(message.channel, []).append(message)
    menu = "".join(
        f'<a href="#{html.escape(channel)}"><span># {_name(names, channel)}</span>'
        f"<small>{len(posted) or ''}</small></a>"
        for channel, posted in by_channel.items()
    )
    body = "".join(_channel(channel, posted, names) for channel, posted in by_channel.items())
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{again}<title>Local Slack ({len(messages)})</title><style>{_STYLE}</style></head><body>"
        f"<nav><h1>Issuewire</h1><p>Local Slack</p><h2>Channels</h2>{menu}</nav>"
        f"<main>{body}</main></body></html>"
    )


def as_text(message: Message, names: Names | None = None, *, width: int = 100) -> str:
    """Write a card as lines for a terminal: links as `label (url)`, or the label alone past width."""
    names = names or Names()
    if not message.blocks:
        return _fit(message.text, names, width)
    lines = (_block_text(block, names, width) for block in message.blocks)
    return "\n".join(line for line in lines if line)


def _channel(channel: str, posted: Sequence[Message], names: Names) -> str:
    parents = {message.ts for message in posted if message.thread_ts in {None, message.ts}}
    tops: list[Message] = []
    replies: dict[str, list[Message]] = {}
    for message in posted:
        if message.ts in parents or message.thread_ts not in parents:
            tops.append(message)
        else:
            replies.setdefault(message.thread_ts, []).append(message)
    parts = []
    for day, group in groupby(tops, key=lambda message: _moment(message.ts, names).date()):
        parts.append(f'<div class="day"><span>{day:%A}, {day.day} {day:%B}</span></div>')
        parts += [_message(message, replies.get(message.ts, ()), names) for message in group]
    empty = '<p class="empty">Nothing here yet. A matching issue will be drawn here as Slack would.</p>'
    return (
        f'<section id="{html.escape(channel)}"><header><h2># {_name(names, channel)}</h2>'
        f"<small>{_count(len(posted), 'message', 'messages')}</small></header>"
        f"{''.join(parts) or empty}</section>"
    )


def _message(message: Message, replies: Sequence[Message], names: Names) -> str:
    moment = _moment(message.ts, names)
    pen = _html_pen(names)
    content = "".join(_block_html(block, pen) for block in message.blocks) or _paragraph(message.text, pen)
    foot = ""
    if message.metadata:
        payload = message.metadata["event_payload"]
        facts = "".join(
            f"<dt>{html.escape(str(name))}</dt><dd>{html.escape(str(value))}</dd>"
            for name, value in payload.items()
        )
        kind = html.escape(str(message.metadata["event_type"]))
        foot = f'<details class="meta"><summary>{kind}</summary><dl>{facts}</dl></details>'
    if replies:
        inner = "".join(_message(reply, (), names) for reply in replies)
        foot += (
            f'<div class="thread"><p>{_count(len(replies), "reply", "replies")}</p><div>{inner}</div></div>'
        )
    via = ' <span class="via">incoming webhook</span>' if message.via == "webhook" else ""
    mark = ' <span class="edited">(edited)</span>' if message.edited else ""
    return (
        f'<article>{_AVATAR}<div class="body"><p class="who"><b>Issuewire</b> <span class="app">APP</span> '
        f'<time datetime="{moment.isoformat()}">{moment:%H:%M}</time>{via}{mark}</p>'
        f"{content}{foot}</div></article>"
    )


def _block_html(block: Mapping[str, Any], pen: _Pen) -> str:
    draw = _HTML_BLOCKS.get(block["type"])
    if draw is None:
        return f'<p class="empty">a block of type {html.escape(str(block["type"]))} is not drawn here</p>'
    return draw(block, pen)


def _section_html(block: Mapping[str, Any], pen: _Pen) -> str:
    text = _paragraph_of(block["text"], pen) if "text" in block else ""
    fields = "".join(f"<div>{_words(item, pen)}</div>" for item in block.get("fields", ()))
    grid = f'<div class="fields">{fields}</div>' if fields else ""
    side = _element(block["accessory"], pen) if "accessory" in block else ""
    return f'<div class="section"><div>{text}{grid}</div>{side}</div>'


def _context_html(block: Mapping[str, Any], pen: _Pen) -> str:
    inner = "".join(f"<span>{_element(item, pen)}</span>" for item in block["elements"])
    return f'<div class="context">{inner}</div>'


def _picture_html(block: Mapping[str, Any], pen: _Pen) -> str:
    title = f"<p>{_words(block['title'], pen)}</p>" if "title" in block else ""
    return f'<div class="picture">{title}{_element(block, pen)}</div>'


_HTML_BLOCKS: dict[str, Callable[[Mapping[str, Any], _Pen], str]] = {
    "header": lambda block, pen: f'<h3 class="head">{_words(block["text"], pen)}</h3>',
    "section": _section_html,
    "context": _context_html,
    "actions": lambda block, pen: f'<div class="actions">{_all(_element, block, pen)}</div>',
    "divider": lambda _block, _pen: "<hr>",
    "image": _picture_html,
    "rich_text": lambda block, pen: _all(_rich_html, block, pen),
}


def _all(draw: Callable[[Mapping[str, Any], _Pen], str], block: Mapping[str, Any], pen: _Pen) -> str:
    return "".join(draw(item, pen) for item in block.get("elements", ()))


def _element(item: Mapping[str, Any], pen: _Pen) -> str:
    match item["type"]:
        case "button":
            look = html.escape(str(item.get("style", "")))
            link = f' href="{_safe(item["url"])}" {_NEW_TAB}' if "url" in item else ""
            return f'<a class="button {look}"{link}>{_words(item["text"], pen)}</a>'
        case "image":
            return f'<span class="image">🖼 {html.escape(item["alt_text"])}</span>'
        case _:
            return _words(item, pen)


def _rich_html(part: Mapping[str, Any], pen: _Pen) -> str:
    kind, inner = part["type"], _all(_rich_html, part, pen)
    if kind in _RICH_TAGS:
        return f"<{_RICH_TAGS[kind]}>{inner}</{_RICH_TAGS[kind].split()[0]}>"
    if kind == "link":
        return pen.refer("link", part.get("text") or part.get("url", ""), part.get("url", ""))
    if kind == "user":
        user = str(part.get("user_id", ""))
        return pen.refer("user", "@" + pen.names.users.get(user, user), "")
    return html.escape(_rich_text(part))


def _block_text(block: Mapping[str, Any], names: Names, width: int) -> str:
    fit = partial(_fit_object, names=names, width=width)
    match block["type"]:
        case "section":
            text = [fit(block[name]) for name in ("text", "accessory") if name in block]
            return "\n".join(text + [_LABEL.sub(": ", fit(item), 1) for item in block.get("fields", ())])
        case "context" | "actions":
            items = [fit(item) for item in block["elements"]]
            line = "  ".join(items)
            return line if len(line) <= width else "\n".join(items)
        case "rich_text":
            return "\n".join(_rich_text(part) for part in block["elements"])
        case "header" | "image":
            return fit(block.get("text", block))
        case "divider":
            return "─" * min(width, 40)
        case other:
            return f"[{other}]"


def _rich_text(part: Mapping[str, Any]) -> str:
    if part["type"] == "emoji":
        return _emoji(f":{part.get('name', '')}:")
    between = "\n" if part["type"] == "rich_text_list" else ""
    inner = between.join(_rich_text(item) for item in part.get("elements", ()))
    return str(part.get("text") or part.get("url", "")) + inner


def _fit_object(item: Mapping[str, Any], *, names: Names, width: int) -> str:
    match item["type"]:
        case "button":
            label = _text_pen(names, urls=False).plain(item["text"]["text"])
            full = f"[{label}] ({item['url']})" if "url" in item else f"[{label}]"
            return full if len(full) <= width else f"[{label}]"
        case "image":
            return f"[{item['alt_text']}]"
        case "plain_text":
            return _plain(item, _text_pen(names, urls=False))
        case _:
            return _fit(item["text"], names, width)


def _fit(text: str, names: Names, width: int) -> str:
    full = _mrkdwn(text, _text_pen(names, urls=True)).split("\n")
    short = _mrkdwn(text, _text_pen(names, urls=False)).split("\n")
    return "\n".join(line if len(line) <= width else brief for line, brief in zip(full, short, strict=True))


def _words(item: Mapping[str, Any], pen: _Pen) -> str:
    if item["type"] != "mrkdwn":
        return _plain(item, pen)
    # The line breaks beside a quote or a code block belong to it; kept, they would show as empty lines.
    return _BLOCK_TAG.sub(r"\1\2", _mrkdwn(item["text"], pen))


def _plain(item: Mapping[str, Any], pen: _Pen) -> str:
    return pen.plain(item["text"]) if item.get("emoji", True) else _escape_only(item["text"], pen)


def _paragraph_of(item: Mapping[str, Any], pen: _Pen) -> str:
    return f'<div class="text">{_words(item, pen)}</div>'


def _paragraph(text: str, pen: _Pen) -> str:
    return _paragraph_of({"type": "mrkdwn", "text": text}, pen)


def _mrkdwn(text: str, pen: _Pen) -> str:
    """Write mrkdwn with a pen; code and <...> are set aside first, no mark is looked for inside them."""
    held: list[str] = []

    def hold(written: str) -> str:
        held.append(written)
        return f"\ue000{len(held) - 1}\ue001"

    def code(match: re.Match[str]) -> str:
        kind = "pre" if match["fence"] else "code"
        inner = CONTROL.sub(lambda found: _reference(found, pen.names)[1], match["fence"] or match["code"])
        return hold(pen.wrap(kind, _escape_only(inner.strip("\n"), pen)))

    def mark(written: str) -> str:
        for tag, pattern in _MARKS:  # what a mark holds is set aside too, so that marks nest but never cross
            written = pattern.sub(partial(enclose, tag), written)
        return written

    def enclose(tag: str, match: re.Match[str]) -> str:
        return hold(pen.wrap(tag, mark(match[1])))

    text = re.sub("[\ue000-\ue002]", "\ufffd", text)
    text = _CODE.sub(code, text)
    text = CONTROL.sub(lambda match: hold(pen.refer(*_reference(match, pen.names))), text)
    text = "\n".join(_lines(text, pen, mark))
    while "\ue000" in text:
        text = re.sub("\ue000(\\d+)\ue001", lambda match: held[int(match[1])], text)
    return text


def _lines(text: str, pen: _Pen, mark: Callable[[str], str]) -> Iterator[str]:
    for quoted, group in groupby(text.split("\n"), key=lambda line: line.startswith("&gt;")):
        lines = [line.removeprefix("&gt;").lstrip() if quoted else line for line in group]
        written = mark(pen.plain("\n".join(lines)))
        yield pen.wrap("blockquote", written) if quoted else written


def _reference(match: re.Match[str], names: Names) -> tuple[str, str, str]:
    """Give kind, words (still escaped) and address of a <...> construct."""
    label = match["label"]
    if match["url"]:
        return "link", label or match["url"].removeprefix("mailto:"), match["url"]
    if match["user"]:
        return "user", "@" + names.users.get(match["user"], label or match["user"]), ""
    if match["channel"]:
        return "user", "#" + names.channels.get(match["channel"], label or match["channel"]), ""
    if match["stamp"]:
        return ("link" if match["date_url"] else "date"), _date(match, names), match["date_url"] or ""
    if match["group"]:
        return "here", "@" + names.users.get(match["group"], label or match["group"]).removeprefix("@"), ""
    return "here", "@" + match["special"], ""


def _date(match: re.Match[str], names: Names) -> str:
    """Fill the tokens of <!date^...>; one that is not known here gives the fallback, as in an old client."""
    moment = _moment(match["stamp"], names)
    tokens = {
        "time": f"{moment:%H:%M}",
        "time_secs": f"{moment:%H:%M:%S}",
        "date_num": f"{moment:%Y-%m-%d}",
        "date": f"{moment:%B} {moment.day}, {moment.year}",
        "date_short": f"{moment:%b} {moment.day}, {moment.year}",
        "date_long": f"{moment:%A}, {moment:%B} {moment.day}, {moment.year}",
    }
    wanted = {name: name.removesuffix("_pretty") for name in _DATE_TOKEN.findall(match["format"])}
    if not tokens.keys() >= set(wanted.values()):
        return str(match["label"])
    return _DATE_TOKEN.sub(lambda found: tokens[wanted[found[1]]], match["format"])


def _html_pen(names: Names) -> _Pen:
    def wrap(tag: str, inner: str) -> str:
        return f"<{tag}>{inner}</{tag}>"

    def refer(kind: str, words: str, address: str) -> str:
        if kind == "date":
            return _emoji(html.escape(_decode(words)))
        if kind == "link":
            href = _safe(_decode(address))
            return f'<a href="{href}" {_NEW_TAB}>{_plain_html(words)}</a>'
        return f'<span class="{kind}">{html.escape(_decode(words))}</span>'

    return _Pen(plain=_plain_html, wrap=wrap, refer=refer, names=names)


def _text_pen(names: Names, *, urls: bool) -> _Pen:
    def plain(text: str) -> str:
        return _emoji(_decode(text))

    def wrap(tag: str, inner: str) -> str:
        if tag == "blockquote":
            return "\n".join(f"│ {line}" for line in inner.split("\n"))
        return f"`{inner}`" if tag == "code" else inner

    def refer(kind: str, words: str, address: str) -> str:
        label, target = plain(words), _decode(address).removeprefix("mailto:")
        return f"{label} ({target})" if kind == "link" and urls and label != target else label

    return _Pen(plain=plain, wrap=wrap, refer=refer, names=names)


def _plain_html(text: str) -> str:
    return _emoji(html.escape(_decode(text)))


def _escape_only(text: str, pen: _Pen) -> str:
    """Write code: decoded and escaped for the medium, but no emoji in it."""
    return pen.plain(text.replace(":", "\ue002")).replace("\ue002", ":")


def _decode(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _emoji(text: str) -> str:
    return _EMOJI_NAME.sub(lambda match: _EMOJI.get(match[1], match[0]), text)


def _safe(url: str) -> str:
    return html.escape(url) if url.startswith(("https://", "http://", "mailto:")) else "#"


def _moment(ts: str, names: Names) -> datetime:
    return datetime.fromtimestamp(float(ts), names.zone)


def _name(names: Names, channel: str) -> str:
    return html.escape(names.channels.get(channel, channel))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


_AVATAR = (
    '<svg class="avatar" viewBox="0 0 36 36" aria-hidden="true">'
    '<rect width="36" height="36" rx="8" fill="#4a154b"/>'
    '<path d="M9 18h6l3-7 3 14 3-7h3" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round" '
    'stroke-linejoin="round"/></svg>'
)
_STYLE = """
:root{--bg:#fff;--fg:#1d1c1d;--soft:#616061;--line:#e2e2e4;--hover:#f8f8f8;--link:#1264a3;--nav:#3f0e40;
--code:#c01343;--codebg:#f6f6f6;--user:#1264a3;--userbg:#e8f5fa;--here:#7a5a00;--herebg:#fdf2d0;
--green:#007a5a;--red:#c9204f}
@media(prefers-color-scheme:dark){:root{--bg:#1a1d21;--fg:#d9dadb;--soft:#a0a2a5;--line:#35383d;
--hover:#212428;
--link:#5fb2ec;--nav:#121016;--code:#e8912d;--codebg:#232529;--user:#7cc4f2;--userbg:#1b3246;--here:#f2c744;
--herebg:#3d3416;--green:#148567;--red:#d83a62}}
*{box-sizing:border-box}html{color-scheme:light dark;scroll-behavior:smooth}
body{margin:0;display:flex;background:var(--bg);color:var(--fg);
font:15px/1.467 Lato,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif}
nav{background:var(--nav);color:#cfc3cf;width:220px;flex:none;height:100vh;position:sticky;top:0;
padding:18px 10px;overflow:auto}
nav h1{font-size:18px;line-height:1.2;margin:0 10px;color:#fff}nav p{margin:2px 10px 22px;font-size:13px;
opacity:.8}
nav h2{font-size:13px;font-weight:600;margin:0 10px 6px;opacity:.8}
nav a{display:flex;justify-content:space-between;gap:8px;color:inherit;text-decoration:none;
padding:3px 10px;border-radius:6px}
nav a span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}nav a:hover{background:#ffffff1f;
color:#fff}
main{flex:1;min-width:0}section{padding-bottom:20px}
section>header{display:flex;align-items:baseline;gap:10px;position:sticky;top:0;z-index:1;
background:var(--bg);
border-bottom:1px solid var(--line);padding:13px 20px}
section>header h2{font-size:18px;line-height:1.3;margin:0}small{font-size:13px;color:var(--soft)}nav small{
color:inherit}
.day{text-align:center;margin:18px 20px 6px;position:relative}
.day:before{content:"";position:absolute;left:0;right:0;top:50%;border-top:1px solid var(--line)}
.day span{position:relative;background:var(--bg);border:1px solid var(--line);border-radius:24px;
padding:4px 14px;font-size:13px;font-weight:700}
article{display:flex;gap:9px;padding:8px 20px}article:hover{background:var(--hover)}article article{
padding:6px 0}
.avatar{width:36px;height:36px;flex:none;margin-top:3px}.thread .avatar{width:24px;height:24px}
.body{min-width:0;flex:1;max-width:720px}.who{margin:0}.who time,.via,.edited{
font-size:12px;color:var(--soft)}
.via:before{content:"· "}.app{font-size:10px;font-weight:700;color:var(--soft);background:var(--line);
border-radius:2px;padding:1px 3px;vertical-align:1px}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
.text,.fields>div,.context{white-space:pre-wrap;overflow-wrap:anywhere}.text{margin:2px 0 6px}
.head{font-size:18px;line-height:1.35;font-weight:800;margin:8px 0 6px;overflow-wrap:anywhere}
.section{display:flex;gap:16px;justify-content:space-between}.section>div{min-width:0;flex:1}
.section>.button,.section>.image{align-self:flex-start;margin-top:4px}
.fields{display:grid;grid-template-columns:1fr 1fr;gap:8px 16px;margin:4px 0 8px}
.context{display:flex;flex-wrap:wrap;align-items:center;gap:2px 8px;font-size:13px;line-height:1.4;
color:var(--soft);margin:4px 0}
.actions{display:flex;flex-wrap:wrap;gap:8px;margin:8px 0}
.button{display:inline-block;border:1px solid color-mix(in srgb,var(--fg) 30%,transparent);
border-radius:8px;padding:3px 12px;font-weight:700;
font-size:14px;color:var(--fg);background:var(--bg);white-space:nowrap}.button:hover{text-decoration:none;
background:var(--hover);box-shadow:0 1px 2px #0003}
.primary{background:var(--green);border-color:var(--green);color:#fff}.danger{background:var(--red);
border-color:var(--red);color:#fff}
.primary:hover,.danger:hover{filter:brightness(1.08);background:var(--green)}.danger:hover{
background:var(--red)}
hr{border:0;border-top:1px solid var(--line);margin:10px 0}
code,pre{font:12px/1.5 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--codebg);
border:1px solid var(--line);border-radius:3px}
code{color:var(--code);padding:2px 3px}pre{margin:4px 0;padding:8px;white-space:pre-wrap;border-radius:4px}
blockquote{margin:4px 0;padding-left:14px;border-left:4px solid var(--line);border-radius:2px}
ul{margin:2px 0 6px;padding-left:22px}ul>.text{display:list-item;margin:0}
.user{color:var(--user);background:var(--userbg);border-radius:3px;
padding:0 3px}
.here{color:var(--here);background:var(--herebg);border-radius:3px;padding:0 3px}
.image{display:inline-block;border:1px dashed var(--line);border-radius:6px;padding:4px 10px;
color:var(--soft);font-size:13px}
.picture p{margin:4px 0}.empty{color:var(--soft);padding:0 20px}.body .empty{padding:0;font-style:italic}
.meta{font-size:12px;color:var(--soft);margin:2px 0}.meta summary{cursor:pointer;width:max-content;
opacity:.75}
.meta dl{display:grid;grid-template-columns:max-content 1fr;gap:1px 12px;margin:4px 0 6px}.meta dd{
margin:0;overflow-wrap:anywhere;font-family:ui-monospace,Menlo,monospace}
.thread>p{margin:6px 0 0;font-size:13px;font-weight:700;color:var(--link)}.thread>div{
border-left:2px solid var(--line);padding-left:12px;margin-top:4px}
@media(max-width:700px){nav{display:none}.fields{grid-template-columns:1fr}}
"""
