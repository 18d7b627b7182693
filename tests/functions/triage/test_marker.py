"""A comment of ours ends with a hidden line, by which it is found again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.triage.marker import rules_in, with_marker


def test_the_marker_is_the_last_line_of_the_comment() -> None:
    """The rule's text comes first, as it is; the marker names rule and delivery."""
    body = with_marker("Thanks!\n", "welcome", "d")
    assert body == "Thanks!\n\n<!-- issuewire rule=welcome delivery=d -->"


@given(name=st.text(min_size=1), delivery=st.text(min_size=1), text=st.text())
def test_any_name_is_found_again_and_stays_hidden(name: str, delivery: str, text: str) -> None:
    """No name or delivery id can end the hidden line, or be taken for another one."""
    before = rules_in(text)
    body = with_marker(text, name, delivery)
    assert rules_in(body) == before | {name}
    hidden = body.splitlines()[-1]
    assert hidden.startswith("<!-- ")
    assert hidden.index("-->") == len(hidden) - 3
    assert "--" not in hidden[4:-3]


@pytest.mark.parametrize("text", ["", "<!-- issuewire -->", "<!-- issuewire rule= delivery= -->", "welcome"])
def test_other_text_has_no_marker(text: str) -> None:
    """What is not written as we write it names no rule."""
    assert rules_in(text) == frozenset()
