"""Texts on the page and in a terminal."""

import pytest

from functions.digest.phrases import GROUPS
from local.slack.rendering.page import render_page
from local.slack.rendering.terminal import as_text
from tests.support.slack_page import NAMES, TAB, Tree, message, section


def drawn(text: str) -> str:
    """Return the HTML of one mrkdwn text."""
    page = render_page([message("", section(text))], NAMES)
    Tree(page)
    return page.partition('<div class="section"><div><div class="text">')[2].partition("</div></div></div>")[
        0
    ]


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
def test_mrkdwn_is_shown_as_in_slack(text, page, terminal):
    """The page and the terminal show marks, code, quotes, links, mentions, dates and entities."""
    assert drawn(text) == page
    assert as_text(message("", section(text)), NAMES) == terminal


@pytest.mark.parametrize("heading", GROUPS.values())
def test_the_headings_of_a_digest_have_their_emoji(heading):
    """No heading shows the name of its emoji between colons."""
    assert ":" not in drawn(heading)


def test_plain_text_can_turn_emoji_off():
    """Then a name between colons is literal: it may be code."""
    text = {"type": "plain_text", "text": "a:bug:b &lt;i&gt;\n*c*"}
    for emoji, shown in ((True, "a🐛b"), (False, "a:bug:b")):
        block = {"type": "section", "text": {**text, "emoji": emoji}}
        assert as_text(message("", block), NAMES) == f"{shown} <i>\n*c*"
        page = render_page([message("", block)], NAMES)
        Tree(page)
        assert f'<div class="text">{shown} &lt;i&gt;\n*c*</div>' in page


def test_a_message_without_blocks_shows_its_text():
    """Without blocks the fallback is the message."""
    assert as_text(message("*closed* by <@U0123456789>"), NAMES) == "closed by @octocat"
    assert "<b>closed</b> by" in render_page([message("*closed* by hubot")], NAMES)
