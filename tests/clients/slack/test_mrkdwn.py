"""A text from a payload cannot format, mention or link anything in Slack."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.slack.mrkdwn import code, escape, escape_literal, link

_ENTITY = re.compile(r"&(?:amp|lt|gt);")
anything = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Z", "C")), max_size=60)
hostile = st.lists(
    st.sampled_from(["&", "<", ">", "&amp;", "<!channel>", "|", "`", "\0", "\ud800", "\u202e", "\u200b"])
    | anything
).map("".join)


@settings(derandomize=True, database=None, deadline=None)
@given(hostile, st.integers(2, 40))
def test_nothing_reserved_remains_and_no_entity_is_cut(text: str, limit: int) -> None:
    """For any text, each & belongs to a whole entity, no bracket remains, and the limit holds."""
    made = escape(text, limit)
    assert len(made) <= limit
    assert not set("<>&") & set(_ENTITY.sub("", made))


@settings(derandomize=True, database=None, deadline=None)
@given(hostile, st.integers(2, 40))
def test_a_cut_text_is_the_beginning_of_the_whole(text: str, limit: int) -> None:
    """Cutting removes only the end; the rest reads as the beginning of the uncut text."""
    whole, cut = html.unescape(escape(text, 10_000)), html.unescape(escape(text, limit))
    assert whole == cut or whole.startswith(cut.removesuffix("…"))


@pytest.mark.parametrize(("limit", "expected"), [(6, "&amp;…"), (5, "…"), (2, "…")])
def test_text_is_escaped_before_it_is_cut(limit: int, expected: str) -> None:
    """An entity that the cut would go through is left out as a whole."""
    assert escape("&&&&", limit) == expected


def test_a_text_of_exactly_the_limit_is_not_cut() -> None:
    """A text of exactly the limit is not cut; one with one character more is."""
    assert escape("a" * 250, 250) == "a" * 250
    assert escape("a" * 251, 250) == "a" * 249 + "…"
    assert escape("one two", 5) == "one…"


def test_text_with_entities_is_shown_as_it_was_written() -> None:
    """A text such as &lt; is escaped again, so that Slack shows the four characters."""
    assert escape("&lt;!here&gt;", 100) == "&amp;lt;!here&amp;gt;"


@pytest.mark.parametrize(
    "mark",
    [
        "\0", "\a", "\x1b", "\x7f", "\x85", "\xa0", "\xad", "\u061c", "\u200b", "\u200e", "\u200f", "\u2028",
        "\u2029", "\u202e", "\u2060", "\u2066", "\u2069", "\u3164", "\ud83d", "\ufeff", "\U000e0041",
        "\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u180e", "\u2800", "\uffa0", "\ufff9", "\ufffb",
    ],
)  # fmt: skip
def test_controls_direction_marks_and_invisible_letters_become_a_space(mark: str) -> None:
    """An invisible or reordering character becomes a space, so the words around it do not merge."""
    assert escape(f"pay{mark}{mark} pal", 100) == "pay pal"


def test_a_title_is_one_line() -> None:
    """Line breaks of every kind become one space, so a title cannot draw lines of its own."""
    assert escape("one\r\n\n> two\u2028three\tfour\v", 100) == "one &gt; two three four"


@pytest.mark.parametrize("emoji", ["👩\u200d💻", "❤\ufe0f", "🇩🇪", "می‌خواهم", "क्‍ष", "e\u0301"])
def test_emoji_and_scripts_that_need_joiners_stay_whole(emoji: str) -> None:
    """The two joiners and the variation selectors stay, because words and emoji need them."""
    assert escape(emoji, 100) == emoji


@pytest.mark.parametrize(
    "text", [None, "", "  ", "\0\n", "\u200b\u200b", "\u200d", "\ufe0f \u200c", "\u3164", "\ufeff"]
)
def test_text_without_a_visible_character_is_replaced(text: str | None) -> None:
    """A text without a visible character is replaced, because a link of it could not be clicked."""
    assert escape(text, 100, empty="(no title)") == "(no title)"


def test_a_bar_does_not_end_the_label_early() -> None:
    """A bar in a link's label is replaced, because Slack reads it as a separator."""
    assert link("https://github.com/a/b/issues/1", "a|b") == "<https://github.com/a/b/issues/1|a¦b>"


def test_a_backtick_does_not_end_the_code() -> None:
    """A text cannot leave its code span, and therefore cannot format what follows."""
    assert code("a` *b* `c", 100) == "`a' *b* 'c`"
    assert code("<x>", 100) == "`&lt;x&gt;`"
    assert code("\u200b", 100, empty="?") == "`?`"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max_results a*b x~y", "max_results a*b x~y"),
        ("*bold* _it_ ~no~", "\u2217bold\u2217 \u02cdit\u02cd \u223cno\u223c"),
        ("a `b` c`d", "a \u02cbb\u02cb c\u02cbd"),
        ("__init__.py **kw", "\u02cd\u02cdinit\u02cd\u02cd.py \u2217\u2217kw"),
        ("a_ * b", "a\u02cd \u2217 b"),
        ("<*>", "&lt;\u2217&gt;"),
        ("漢*字_Ä", "漢*字_Ä"),
    ],
)
def test_formatting_characters_become_look_alikes(text: str, expected: str) -> None:
    """Formatting characters become look-alikes, except inside a word, where they format nothing."""
    assert escape_literal(text, 100) == expected


@settings(derandomize=True, database=None, deadline=None)
@given(hostile, st.integers(2, 40))
def test_a_look_alike_is_as_long_as_the_original(text: str, limit: int) -> None:
    """A look-alike is as long as the original, so that the limit is kept."""
    marks = str.maketrans("\u2217\u02cd\u223c\u02cb", "*_~`")
    assert escape_literal(text, limit).translate(marks) == escape(text, limit).translate(marks)


def test_accents_do_not_pile_up() -> None:
    """At most three accents on one letter stay, because more would cover other lines."""
    assert escape("Z" + "\u0351" * 40 + "a\u0323\u0302", 100) == "Z\u0351\u0351\u0351a\u0323\u0302"
