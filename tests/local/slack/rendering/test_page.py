"""Cards on the console page."""

from datetime import UTC, timedelta, timezone
from typing import Any

from local.slack.rendering.mrkdwn import Names
from local.slack.rendering.page import render_page
from local.slack.rendering.terminal import as_text
from tests.support.slack_page import CARD, NAMES, TAB, Tree, message, section


def test_the_page_draws_every_block_of_a_card():
    """It draws header, fields, divider, context and a coloured button that opens a new tab."""
    page = render_page([CARD], NAMES)
    assert Tree(page).links.count("https://github.com/acme/app/issues/41") == 2
    assert '<h3 class="head">Crash &amp; burn 🐛</h3>' in page
    assert '<div class="fields"><div><b>Author:</b>\n<span class="user">@octocat</span></div>' in page
    assert "<hr>" in page
    assert '<div class="context"><span><span class="image">🖼 a face</span></span>' in page
    assert f'<a class="button primary" href="https://github.com/acme/app/issues/41" {TAB}>Open</a>' in page
    assert "<summary>issuewire_card</summary><dl><dt>issue</dt><dd>1296269#41</dd></dl>" in page


def test_pictures_and_rich_text_are_drawn_too():
    """A block of an unknown type is named, not skipped."""
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
    """It is one file without script, event handler or fetched part; it reloads if asked to."""
    page = render_page([CARD], NAMES)
    tree = Tree(page)
    assert {"script", "img", "link", "iframe"}.isdisjoint(tree.tags)
    assert not any(name.startswith("on") for name in tree.attributes)
    assert "url(" not in page
    assert "@import" not in page
    assert 'http-equiv="refresh"' not in page
    assert '<meta http-equiv="refresh" content="3">' in render_page([CARD], NAMES, refresh=3)


def test_nothing_in_a_message_becomes_markup():
    """Names, ids, metadata and addresses are escaped; only web and mail addresses become links."""
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


def test_each_channel_has_a_section_with_the_newest_message_last():
    """An unknown or an empty channel has a section too."""
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


def test_replies_follow_their_card():
    """The page draws a thread with its parent, whatever was posted in between; an orphan is drawn alone."""
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
    """The mark is next to the time, on a reply too, and not on a message without an update."""
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
    """A thread is a box within the card's own box, which indents its replies."""
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
    """The zone decides the time of a message and the day above it."""
    late = message("late", ts="1764025200.000000", via="webhook")  # 23:00 UTC on 24 November
    page = render_page([late], Names(zone=UTC))
    assert "Monday, 24 November" in page
    assert ">23:00</time>" in page
    assert "incoming webhook" in page
    page = render_page([late], Names(zone=timezone(timedelta(hours=2))))
    assert "Tuesday, 25 November" in page
    assert ">01:00</time>" in page
