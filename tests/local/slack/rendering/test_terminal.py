"""Cards as lines of text."""

from local.slack.rendering.terminal import as_text
from tests.support.slack_page import CARD, NAMES


def test_a_card_in_a_terminal_has_a_line_for_each_block():
    """Fields are `label: value`, buttons are in brackets, pictures are their descriptions."""
    assert as_text(CARD, NAMES).splitlines() == [
        "Crash & burn 🐛",
        "acme/app#41 (https://github.com/acme/app/issues/41) opened",
        "Author: @octocat",
        "Labels: bug",
        "─" * 40,
        "[a face] 3 comments",
        "[Open] (https://github.com/acme/app/issues/41)",
    ]


def test_a_line_too_wide_for_the_terminal_loses_the_addresses_of_its_links():
    """The labels stay."""
    lines = as_text(CARD, NAMES, width=40).splitlines()
    assert lines[1] == "acme/app#41 opened"
    assert lines[-1] == "[Open]"
