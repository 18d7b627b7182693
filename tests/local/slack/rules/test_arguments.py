"""The arguments of each method."""

from typing import Any

import pytest

from local.slack.rules.arguments import check_arguments
from tests.support.slack_blocks import Json, found, section, sentences

POST = "chat.postMessage"
TS: Json = {"ts": "1764000000.000001"}
UPDATE: Json = TS | {"channel": "C0123456789", "text": "a"}


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\r", "\x0b", "\ud800"])
def test_control_characters_and_surrogates_are_refused_everywhere(character):
    """Newline and tab are accepted; other C0 controls and lone surrogates are not, in any argument."""
    bad = f"a{character}"
    sentence = f"character U+{ord(character):04X} at 1 is not text"
    metadata = {"event_type": "card", "event_payload": {"issue": bad}}
    assert ("invalid_arguments", f"{sentence} [json-pointer:/text]") in found(text=bad)
    assert f"{sentence} [json-pointer:/blocks/0/text/text]" in sentences(section(bad))
    assert found(metadata=metadata) == [
        ("invalid_metadata_format", f"{sentence} [json-pointer:/metadata/event_payload/issue]")
    ]
    assert found(section("a\n\tb"), text="a\n\tb") == []


def test_nesting_is_bounded():
    """A body that is nested to exhaust the stack is refused."""
    payload: Any = "deep"
    for _ in range(500):
        payload = {"a": payload}
    metadata = {"event_type": "card", "event_payload": payload}
    assert [error for error, _ in found(metadata=metadata)] == ["invalid_metadata_format"]


@pytest.mark.parametrize("message", [{}, {"text": " \n"}, {"blocks": []}, {"text": "", "blocks": []}])
def test_a_message_needs_text_or_blocks(message):
    """A message with nothing to show is no_text."""
    assert [problem.error for problem in check_arguments(POST, message)] == ["no_text"]


def test_text_is_optional_beside_blocks_and_limited_to_40000_characters():
    """Slack only warns about a missing fallback; it refuses its length."""
    assert check_arguments(POST, {"blocks": [{"type": "divider"}]}) == []
    assert check_arguments(POST, {"text": "a" * 40_000}) == []
    assert found(text="a" * 40_001) == [("msg_too_long", "msg_too_long")]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"unfurl_link": False}, "unknown argument: unfurl_link [json-pointer:/unfurl_link]"),
        ({"attachments": []}, "unknown argument: attachments [json-pointer:/attachments]"),
        ({"unfurl_links": "no"}, "must provide a boolean [json-pointer:/unfurl_links]"),
        ({"text": ["a"]}, "must provide a string [json-pointer:/text]"),
        ({"thread_ts": "1764000000"}, "must look like 1234567890.123456 [json-pointer:/thread_ts]"),
        ({"thread_ts": 1764000000.5}, "must provide a string [json-pointer:/thread_ts]"),
    ],
)
def test_an_argument_that_slack_would_ignore_or_misread_is_named(arguments, expected):
    """A misspelt or wrongly typed argument is invalid_arguments, with its name."""
    assert ("invalid_arguments", expected) in found({"type": "divider"}, **arguments)


def test_a_webhook_is_bound_to_its_channel():
    """An incoming webhook takes no channel."""
    message = {"text": "a", "channel": "C0123456789"}
    assert [str(problem) for problem in check_arguments("webhook", message)] == [
        "unknown argument: channel [json-pointer:/channel]"
    ]
    assert check_arguments(POST, message) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"unfurl_links": False}, "unknown argument: unfurl_links [json-pointer:/unfurl_links]"),
        ({"unfurl_media": False}, "unknown argument: unfurl_media [json-pointer:/unfurl_media]"),
        ({"thread_ts": "1764000000.000001"}, "unknown argument: thread_ts [json-pointer:/thread_ts]"),
        ({"mrkdwn": True}, "unknown argument: mrkdwn [json-pointer:/mrkdwn]"),
        ({"ts": "1764000000"}, "must look like 1234567890.123456 [json-pointer:/ts]"),
        ({"ts": 1764000000.5}, "must provide a string [json-pointer:/ts]"),
        ({"text": "a < b"}, "unescaped < at character 2: '< b' [json-pointer:/text]"),
        (
            {"blocks": [section("a" * 3001)]},
            "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
        ),
        ({"text": " "}, "no_text"),
        (
            {"metadata": {"event_type": "card"}},
            "missing required field: event_payload [json-pointer:/metadata]",
        ),
    ],
)
def test_an_update_is_checked_like_a_post_but_takes_other_arguments(change, expected):
    """Content has the same limits; only a post takes a thread, unfurling and mrkdwn."""
    assert check_arguments("chat.update", UPDATE) == []
    assert expected in [str(problem) for problem in check_arguments("chat.update", UPDATE | change)]


def test_an_update_names_its_message():
    """An update without ts is invalid_arguments; a post takes no ts."""
    problems = check_arguments("chat.update", {"channel": "C0123456789", "text": "a"})
    assert [(problem.error, str(problem)) for problem in problems] == [
        ("invalid_arguments", "missing required field: ts")
    ]
    assert [str(problem) for problem in check_arguments(POST, UPDATE)] == [
        "unknown argument: ts [json-pointer:/ts]"
    ]


def test_an_update_may_give_an_empty_object_for_metadata():
    """A post may not."""
    assert check_arguments("chat.update", UPDATE | {"metadata": {}}) == []
    assert {error for error, _ in found(metadata={})} == {"invalid_metadata_schema"}


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("chat.delete", TS | {"text": "a"}, "unknown argument: text [json-pointer:/text]"),
        ("conversations.history", TS, "unknown argument: ts [json-pointer:/ts]"),
        ("conversations.history", {"inclusive": "yes"}, "must provide a boolean [json-pointer:/inclusive]"),
        (
            "conversations.replies",
            TS | {"include_all_metadata": 1},
            "must provide a boolean [json-pointer:/include_all_metadata]",
        ),
        (
            "conversations.replies",
            TS | {"cursor": "\x00"},
            "character U+0000 at 0 is not text [json-pointer:/cursor]",
        ),
    ],
)
def test_reading_and_deleting_have_arguments_of_their_own(method, arguments, expected):
    """An argument of one method is unknown to another; a switch is a boolean."""
    assert [str(problem) for problem in check_arguments(method, arguments)] == [expected]


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ("card", "invalid_metadata_format"),
        ({}, "invalid_metadata_schema"),
        ({"event_type": "", "event_payload": {}}, "invalid_metadata_schema"),
        ({"event_type": "card.new", "event_payload": {}}, "invalid_metadata_schema"),
        ({"event_type": "7_cards", "event_payload": {}}, "invalid_metadata_schema"),
        ({"event_type": 7, "event_payload": {}}, "invalid_metadata_schema"),
        ({"event_type": "card", "event_payload": []}, "invalid_metadata_schema"),
        ({"event_type": "card", "event_payload": {}, "more": 1}, "invalid_metadata_schema"),
    ],
)
def test_metadata_is_a_type_and_an_object(metadata, error):
    """Metadata of another shape is refused with Slack's two names."""
    problems = found(metadata=metadata)
    assert {name for name, _ in problems} == {error}
    assert found(metadata={"event_type": "card", "event_payload": {"a": [1, None]}}) == []
