"""How cards look: the page in a browser, and the lines in a terminal."""

from datetime import UTC, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest

from local.slack.message import Message
from local.slack.rendering.mrkdwn import Names
from local.slack.rendering.page import render_page
from local.slack.rendering.terminal import as_text

NAMES = Names(channels={"C0123456789": "bugs"}, users={"U0123456789": "octocat", "S0123456789": "triage"})
VOID = {"meta", "hr", "path", "rect"}


class Tree(HTMLParser):
    """Reads a page strictly: every element is closed in order; collects tags and links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        assert self.open.pop() == tag


def message(text: str = "fallback", *blocks: dict[str, Any], **fields: Any) -> Message:
    """Make a posted message."""
    return Message(
        **{"channel": "C0123456789", "ts": "1764000000.000001", "text": text, "blocks": blocks} | fields
    )


def section(text: str) -> dict[str, Any]:
    """Make a section of one mrkdwn text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def drawn(text: str) -> str:
    """Give the HTML of one mrkdwn text."""
    page = render_page([message("", section(text))], NAMES)
    Tree(page)
    return page.partition('<div class="section"><div><div class="text">')[2].partition("</div></div></div>")[
        0
    ]


TAB = 'target="_blank" rel="noopener noreferrer"'
SHOWN = [
    ("*bold* _italic_ ~struck~", "<b>bold</b> <i>italic</i> <s>struck</s>", "bold italic struck"),
    ("*_both_*", "<b><i>both</i></b>", "both"),
    ("_~*_*", "_~<b>_</b>", "_~_"),
    ("2*3*4 snake_case_name", "2*3*4 snake_case_name", "2*3*4 snake_case_name"),
    ("`a *b* &lt;c&gt;`", "<code>a *b* &lt;c&gt;</code>", "`a *b* <c>`"),
    ("```\nx = *y*\n```", "<pre>x = *y*</pre>", "x = *y*"),
    ("&gt; said\n&gt; twice\nafter", "<blockquote>said\ntwice</blockquote>after", "│ said\n│ twice\nafter"),
    ("a &amp;lt; b &lt;i&gt;", "a &amp;lt; b &lt;i&gt;", "a &lt; b <i>"),
    (
        "*<https://e.com/a_b_c?x=1&amp;y=2|a_b_c &amp; d>*",
        f'<b><a href="https://e.com/a_b_c?x=1&amp;y=2" {TAB}>a_b_c &amp; d</a></b>',
        "a_b_c & d (https://e.com/a_b_c?x=1&y=2)",
    ),
    ("<https://e.com>", f'<a href="https://e.com" {TAB}>https://e.com</a>', "https://e.com"),
    ("<mailto:a@e.com>", f'<a href="mailto:a@e.com" {TAB}>a@e.com</a>', "a@e.com"),
    ("<@U0123456789>", '<span class="user">@octocat</span>', "@octocat"),
    ("<@U9|ann>", '<span class="user">@ann</span>', "@ann"),
    ("<#C0123456789>", '<span class="user">#bugs</span>', "#bugs"),
    (
        "<!here> <!channel|x>",
        '<span class="here">@here</span> <span class="here">@channel</span>',
        "@here @channel",
    ),
    ("<!subteam^S0123456789>", '<span class="here">@triage</span>', "@triage"),
    ("<!subteam^S1|@core>", '<span class="here">@core</span>', "@core"),
    ("<!date^1764000000^{date_short} at {time}|f>", "Nov 24, 2025 at 16:00", "Nov 24, 2025 at 16:00"),
    ("<!date^1764000000^{ago}|a while ago>", "a while ago", "a while ago"),
    (
        "<!date^1764000000^{date_num}^https://e.com/|f>",
        f'<a href="https://e.com/" {TAB}>2025-11-24</a>',
        "2025-11-24 (https://e.com/)",
    ),
    (":tada: :no_such: `:tada:`", "🎉 :no_such: <code>:tada:</code>", "🎉 :no_such: `:tada:`"),
    ("\ue0007\ue001", "\ufffd7\ufffd", "\ufffd7\ufffd"),
]


@pytest.mark.parametrize(("text", "page", "terminal"), SHOWN, ids=[text for text, _, _ in SHOWN])
def test_mrkdwn_is_shown_as_slack_shows_it(text, page, terminal):
    """Marks, code, quotes, links, mentions, dates and entities, in a browser and in a terminal."""
    assert drawn(text) == page
    assert as_text(message("", section(text)), NAMES) == terminal


CARD = message(
    "acme/app#41 opened",
    {"type": "header", "text": {"type": "plain_text", "text": "Crash &amp; burn :bug:"}},
    {
        **section("<https://github.com/acme/app/issues/41|acme/app#41> opened"),
        "fields": [
            {"type": "mrkdwn", "text": "*Author:*\n<@U0123456789>"},
            {"type": "plain_text", "text": "Labels\nbug"},
        ],
    },
    {"type": "divider"},
    {
        "type": "context",
        "elements": [
            {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a face"},
            {"type": "mrkdwn", "text": "3 *comments*"},
        ],
    },
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "text": {"type": "plain_text", "text": "Open"},
                "url": "https://github.com/acme/app/issues/41",
                "style": "primary",
            }
        ],
    },
    metadata={"event_type": "issuewire_card", "event_payload": {"issue": "1296269#41"}},
)


def test_a_card_reads_well_in_a_terminal():
    """Each block is a line: fields as `label: value`, buttons in brackets, pictures by their description."""
    assert as_text(CARD, NAMES).splitlines() == [
        "Crash & burn 🐛",
        "acme/app#41 (https://github.com/acme/app/issues/41) opened",
        "Author: @octocat",
        "Labels: bug",
        "─" * 40,
        "[a face]  3 comments",
        "[Open] (https://github.com/acme/app/issues/41)",
    ]


def test_a_line_too_wide_for_the_terminal_keeps_the_label_of_its_link():
    """Addresses are the first thing to go."""
    lines = as_text(CARD, NAMES, width=40).splitlines()
    assert lines[1] == "acme/app#41 opened"
    assert lines[-1] == "[Open]"


def test_plain_text_can_do_without_emoji():
    """Where it says so, a name between colons is what was written: it may be code."""
    text = {"type": "plain_text", "text": "a:bug:b &lt;i&gt;\n*c*"}
    for emoji, shown in ((True, "a🐛b"), (False, "a:bug:b")):
        block = {"type": "section", "text": {**text, "emoji": emoji}}
        assert as_text(message("", block), NAMES) == f"{shown} <i>\n*c*"
        page = render_page([message("", block)], NAMES)
        Tree(page)
        assert f'<div class="text">{shown} &lt;i&gt;\n*c*</div>' in page


def test_a_message_without_blocks_shows_its_text():
    """The fallback is the message where there are no blocks."""
    assert as_text(message("*closed* by <@U0123456789>"), NAMES) == "closed by @octocat"
    assert "<b>closed</b> by" in render_page([message("*closed* by hubot")], NAMES)


def test_the_page_draws_every_block_of_a_card():
    """Header, fields, divider, context and a coloured button that opens a new tab."""
    page = render_page([CARD], NAMES)
    assert Tree(page).links.count("https://github.com/acme/app/issues/41") == 2
    assert '<h3 class="head">Crash &amp; burn 🐛</h3>' in page
    assert '<div class="fields"><div><b>Author:</b>\n<span class="user">@octocat</span></div>' in page
    assert "<hr>" in page
    assert '<div class="context"><span><span class="image">🖼 a face</span></span>' in page
    assert f'<a class="button primary" href="https://github.com/acme/app/issues/41" {TAB}>Open</a>' in page
    assert "<summary>issuewire_card</summary><dl><dt>issue</dt><dd>1296269#41</dd></dl>" in page


def test_pictures_sections_and_rich_text_are_drawn_too():
    """The rarer blocks, and a block type nobody drew yet is named, not skipped."""
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]} for text in "ab"]
    party = [{"type": "emoji", "name": "tada"}, {"type": "user", "user_id": "U0123456789"}]
    rich = [
        {"type": "rich_text_list", "elements": items},
        {"type": "rich_text_quote", "elements": [{"type": "link", "url": "https://e.com"}]},
        {"type": "rich_text_section", "elements": party},
    ]
    title = {"type": "plain_text", "text": "T"}
    blocks: list[dict[str, Any]] = [
        {"type": "image", "image_url": "https://e.com/a.png", "alt_text": "a chart", "title": title},
        {**section("s"), "accessory": {"type": "button", "text": {"type": "plain_text", "text": "Go"}}},
        {"type": "rich_text", "elements": rich},
        {"type": "video"},
    ]
    page = render_page([message("", *blocks)], NAMES)
    Tree(page)
    assert '<p>T</p><span class="image">🖼 a chart</span>' in page
    assert '<a class="button ">Go</a>' in page
    assert (
        '<ul><div class="text">a</div><div class="text">b</div></ul><blockquote><a href="https://e.com"'
        in page
    )
    assert '🎉<span class="user">@octocat</span>' in page
    assert "a block of type video is not drawn here" in page
    assert as_text(message("", *blocks), NAMES).splitlines()[:5] == ["[a chart]", "s", "[Go]", "a", "b"]


def test_the_page_needs_no_network_and_runs_no_script():
    """One file: no script, no event handler, nothing fetched from elsewhere; it reloads if asked."""
    page = render_page([CARD], NAMES)
    tree = Tree(page)
    assert {"script", "img", "link", "iframe"}.isdisjoint(tree.tags)
    assert not any(name.startswith("on") for name in tree.attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert 'http-equiv="refresh"' not in page
    assert '<meta http-equiv="refresh" content="3">' in render_page([CARD], NAMES, refresh=3)


def test_nothing_in_a_message_becomes_markup():
    """Names, ids, metadata and addresses are escaped; an address that is no web or mail address is cut."""
    evil = '"><script>alert(1)</script>'
    names = Names(channels={evil: evil}, users={"U1": evil})
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": evil},
        "url": "javascript:alert(1)",
        "style": evil,
    }
    posted = message(
        evil,
        section(f"<@U1> {evil} `{evil}` <https://e.com/\"onclick='x|{evil}"),
        {"type": "actions", "elements": [button]},
        {"type": evil},
        {"type": "image", "alt_text": evil},
        {
            "type": "rich_text",
            "elements": [{"type": "text", "text": evil}, {"type": "link", "url": "data:x"}],
        },
        channel=evil,
        metadata={"event_type": evil, "event_payload": {evil: evil}},
    )
    tree = Tree(render_page([posted], names))
    assert "script" not in tree.tags
    assert not any(name.startswith("on") for name in tree.attributes)
    assert all(link.startswith(("#", "https://")) for link in tree.links)


def test_channels_are_apart_and_the_newest_message_is_last():
    """A channel of its own for every id, also an unknown or empty one."""
    posted = [
        message("third", ts="1764000003.000000"),
        message("first", ts="1764000001.000000"),
        message("elsewhere", ts="1764000002.000000", channel="C9"),
    ]
    page = render_page(posted, Names(channels={"C0123456789": "bugs", "C5": "quiet"}))
    Tree(page)
    bugs, quiet, unknown = page.partition("<main>")[2].split("<section ")[1:]
    assert bugs.index("first") < bugs.index("third")
    assert "# bugs</h2><small>2 messages" in bugs
    assert "# quiet</h2><small>0 messages" in quiet
    assert "Nothing here yet" in quiet
    assert "elsewhere" in unknown
    assert "# C9</h2><small>1 message<" in unknown


def test_replies_stand_under_their_card():
    """A thread is drawn with its parent, whatever was posted in between; an orphan stands alone."""
    posted = [
        message("parent", ts="1764000001.000000"),
        message("other", ts="1764000002.000000"),
        message("reply", ts="1764000003.000000", thread_ts="1764000001.000000"),
        message("orphan", ts="1764000004.000000", thread_ts="1763000000.000000"),
    ]
    page = render_page(posted, NAMES)
    Tree(page)
    order = [page.index(f">{word}<") for word in ("parent", "1 reply", "reply", "other", "orphan")]
    assert order == sorted(order)


def test_an_updated_message_is_marked_as_edited():
    """The mark stands beside the hour, on a reply too, and on nothing that was never updated."""
    posted = [
        message("card", ts="1764000001.000000", edited="1764000009.000000"),
        message("first", ts="1764000002.000000", thread_ts="1764000001.000000"),
        message("second", ts="1764000003.000000", thread_ts="1764000001.000000", edited="1764000009.000000"),
    ]
    page = render_page(posted, NAMES)
    Tree(page)
    card, first, second = page.split("<article>")[1:]
    mark = '</time> <span class="edited">(edited)</span></p>'
    assert [mark in part for part in (card, first, second)] == [True, False, True]


def test_replies_are_drawn_inside_their_card():
    """A thread is a box within the card's own, which is what sets its replies in."""
    posted = [
        message("card", ts="1764000001.000000"),
        message("reply", ts="1764000002.000000", thread_ts="1764000001.000000"),
    ]
    page = render_page(posted, NAMES)
    card = page.partition("<article>")[2]
    thread = card.partition('<div class="thread">')[2]
    assert "</article>" not in card.partition('<div class="thread">')[0]
    assert ">reply<" in thread
    assert "</div></div></article></div></div></div></article>" in thread


def test_times_are_shown_in_the_readers_zone():
    """The zone decides the hour and the day a message stands under."""
    late = message("late", ts="1764025200.000000", via="webhook")  # 23:00 UTC on 24 November
    page = render_page([late], Names(zone=UTC))
    assert "Monday, 24 November" in page
    assert ">23:00</time>" in page
    assert "incoming webhook" in page
    page = render_page([late], Names(zone=timezone(timedelta(hours=2))))
    assert "Tuesday, 25 November" in page
    assert ">01:00</time>" in page
