"""What the stand-in for Slack refuses, and in whose words."""

import json
from typing import Any

import pytest

from local.slack.rules.arguments import (
    DELETE_ARGUMENTS,
    HISTORY_ARGUMENTS,
    REPLIES_ARGUMENTS,
    WEBHOOK_ARGUMENTS,
    check_arguments,
    check_message,
    check_update,
)
from local.slack.rules.decoding import decode
from local.slack.rules.problems import RefusedError

Json = dict[str, Any]


def plain(text: Any = "Title") -> Json:
    """Make a plain text object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: Any = "words") -> Json:
    """Make a mrkdwn text object."""
    return {"type": "mrkdwn", "text": text}


def section(text: Any = "words") -> Json:
    """Make a section of one text."""
    return {"type": "section", "text": mrkdwn(text)}


def button(**fields: Any) -> Json:
    """Make a link button, with further or other fields."""
    return {"type": "button", "text": plain("Open"), "url": "https://github.com/acme/app/issues/1", **fields}


def actions(*elements: Any) -> Json:
    """Make an actions block."""
    return {"type": "actions", "elements": list(elements)}


def found(*blocks: Any, **arguments: Any) -> list[tuple[str, str]]:
    """Give (error, sentence) of every problem of a message with these blocks."""
    message = {"text": "fallback", "blocks": list(blocks), **arguments}
    return [(problem.error, str(problem)) for problem in check_message(message)]


def sentences(*blocks: Any) -> list[str]:
    """Give the sentences about these blocks, whose only error may be invalid_blocks."""
    problems = found(*blocks)
    assert {error for error, _ in problems} <= {"invalid_blocks"}
    return [sentence for _, sentence in problems]


ENTITIES = "&lt;b&gt; &amp;amp; &amp;"
GOOD_BLOCKS: list[Json] = [
    {"type": "header", "block_id": "top", "text": {**plain("a" * 150), "emoji": True}},
    section("a" * 3000),
    {"type": "section", "fields": [mrkdwn("a" * 2000), *[plain()] * 9]},
    {**section(ENTITIES), "accessory": button(action_id="side"), "expand": True},
    {"type": "context", "elements": [mrkdwn(), plain(), *[mrkdwn()] * 7]},
    {
        "type": "context",
        "elements": [{"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}],
    },
    actions(button(value="v" * 2000, style="primary", action_id="go"), *[button()] * 24),
    {"type": "divider"},
    {
        "type": "image",
        "image_url": "http://example.com/a.png",
        "alt_text": "a chart",
        "title": plain(ENTITIES),
    },
    {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "a < b & c"}]}],
    },
]


@pytest.mark.parametrize("block", GOOD_BLOCKS)
def test_a_block_at_its_documented_limits_is_accepted(block):
    """Every block type that is drawn passes with each text as long and each list as full as Slack allows."""
    assert found(block) == []


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("text", "must provide an object [json-pointer:/blocks/0]"),
        ({}, "missing required field: type [json-pointer:/blocks/0]"),
        ({"type": "headline"}, "unsupported type: headline [json-pointer:/blocks/0/type]"),
        ({"type": ["header"]}, "unsupported type: ['header'] [json-pointer:/blocks/0/type]"),
        ({"type": "header"}, "missing required field: text [json-pointer:/blocks/0]"),
        ({"type": "header", "text": "T"}, "must provide an object [json-pointer:/blocks/0/text]"),
        ({"type": "header", "text": mrkdwn()}, "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"),
        (
            {"type": "header", "text": plain("a" * 151)},
            "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        ),
        (
            {"type": "header", "text": plain("  ")},
            "must be more than 0 characters [json-pointer:/blocks/0/text/text]",
        ),
        (section("a" * 3001), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        (section(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        (section(7), "must provide a string [json-pointer:/blocks/0/text/text]"),
        ({"type": "section"}, "missing required field: text [json-pointer:/blocks/0]"),
        ({"type": "section", "fields": []}, "no fewer than 1 items allowed [json-pointer:/blocks/0/fields]"),
        (
            {"type": "section", "fields": [mrkdwn()] * 11},
            "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
        ),
        (
            {"type": "section", "fields": [mrkdwn("a" * 2001)]},
            "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
        ),
        (
            {**section(), "accessory": {"type": "overflow"}},
            "unsupported type: overflow [json-pointer:/blocks/0/accessory/type]",
        ),
        ({**section(), "colour": "red"}, "invalid additional property: colour [json-pointer:/blocks/0]"),
        (
            {"type": "section", "text": {**mrkdwn(), "emoji": True}},
            "invalid additional property: emoji [json-pointer:/blocks/0/text]",
        ),
        (
            {"type": "section", "text": {**mrkdwn(), "verbatim": "yes"}},
            "must provide a boolean [json-pointer:/blocks/0/text/verbatim]",
        ),
        (
            {"type": "context", "elements": {}},
            "must provide an array [json-pointer:/blocks/0/elements]",
        ),
        (
            {"type": "context", "elements": [mrkdwn()] * 11},
            "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
        ),
        (
            {"type": "context", "elements": [button()]},
            "unsupported type: button [json-pointer:/blocks/0/elements/0/type]",
        ),
        (actions(), "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
        (actions(*[button()] * 26), "no more than 25 items allowed [json-pointer:/blocks/0/elements]"),
        (
            actions(button(text=plain("a" * 76))),
            "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
        ),
        (
            actions(button(text=mrkdwn("Open"))),
            "unsupported type: mrkdwn [json-pointer:/blocks/0/elements/0/text/type]",
        ),
        (
            actions(button(url="javascript:alert(1)")),
            "must be an http or https URL [json-pointer:/blocks/0/elements/0/url]",
        ),
        (
            actions(button(url="https://example.com/" + "a" * 2981)),
            "must be less than 3001 characters [json-pointer:/blocks/0/elements/0/url]",
        ),
        (
            actions(button(value="v" * 2001)),
            "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
        ),
        (
            actions(button(style="green")),
            "must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]",
        ),
        (
            actions(button(confirm={"title": plain()})),
            "missing required field: deny [json-pointer:/blocks/0/elements/0/confirm]",
        ),
        (
            {"type": "divider", "block_id": "b" * 256},
            "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
        ),
        (
            {"type": "image", "image_url": "https://example.com/a.png"},
            "missing required field: alt_text [json-pointer:/blocks/0]",
        ),
        (
            {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"text": "a"}]}]},
            "must provide a string [json-pointer:/blocks/0/elements/0/elements/0/type]",
        ),
    ],
)
def test_a_block_slack_would_refuse_is_refused_with_slacks_sentence_and_the_place(block, expected):
    """One step past a limit, a missing, wrong or unknown field: invalid_blocks, named by a JSON pointer."""
    assert expected in sentences(block)


def test_a_bad_text_names_the_text_object_before_the_place_in_it():
    """Slack's first sentence is about the object; a client that logs only that one learns nothing."""
    assert sentences(section("a" * 3001)) == [
        "failed to match all allowed schemas [json-pointer:/blocks/0/text]",
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ]


def test_a_message_has_at_most_50_blocks():
    """The 51st block refuses the message."""
    assert found(*[{"type": "divider"}] * 50) == []
    assert sentences(*[{"type": "divider"}] * 51) == ["no more than 50 items allowed [json-pointer:/blocks]"]


def test_ids_are_unique_within_a_message():
    """A block_id or action_id that is used twice refuses the message."""
    divider = {"type": "divider", "block_id": "line"}
    assert sentences(divider, divider) == [
        '`block_id` "line" already exists [json-pointer:/blocks/1/block_id]'
    ]
    assert sentences(actions(button(action_id="open"), button(action_id="open"))) == [
        '`action_id` "open" already exists [json-pointer:/blocks/0/elements/1/action_id]'
    ]


def test_the_texts_of_all_blocks_together_are_limited():
    """Blocks that are each within their limits are refused past 12,000 characters in all."""
    assert found(*[section("a" * 3000)] * 4) == []
    assert found(*[section("a" * 3000)] * 4, section("a")) == [("msg_blocks_too_long", "msg_blocks_too_long")]


@pytest.mark.parametrize("blocks", ["[]", {}, None])
def test_blocks_that_are_no_list_are_a_format_error(blocks):
    """Blocks must be a list, also when a JSON body carries them as a string."""
    assert [problem.error for problem in check_message({"text": "a", "blocks": blocks})] == [
        "invalid_blocks_format"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "&lt;!channel&gt; &amp;",
        "<https://github.com/acme/app/issues/1>",
        "<https://github.com/acme/app?a=1&amp;b=2|a &lt;b&gt; &amp; c>",
        "*<http://localhost:8080/x|x>* _and_ <mailto:a@example.com|mail>",
        "<@U0123456789> <@W0123456789|ann> <#C0123456789> <#C0123456789|bugs>",
        "<!here> <!channel> <!everyone> <!here|here> <!subteam^S0123456789>",
        "<!date^1764000000^{date_short} at {time}|Nov 24> <!date^1^{time}^https://example.com/|then>",
    ],
)
def test_every_construct_slack_knows_passes(text):
    """Links, mentions, dates and entities are accepted in mrkdwn and in the top-level text."""
    assert found(section(text), text=text) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a < b", "unescaped < at character 2: '< b'"),
        ("a > b", "unescaped > at character 2: '> b'"),
        ("R&D", "unescaped & at character 1: '&D'"),
        ("&quot;", "unescaped & at character 0: '&quot;'"),
        ("<script>", "unescaped < at character 0: '<script>'"),
        ("<!channel", "unescaped < at character 0: '<!channel'"),
        ("<!all>", "unescaped < at character 0: '<!all>'"),
        ("<@octocat>", "unescaped < at character 0: '<@octocat>'"),
        ("<#bugs>", "unescaped < at character 0: '<#bugs>'"),
        ("<javascript:alert(1)|x>", "unescaped < at character 0: '<javascript:alert(1)|x>'"),
        ("<https://e.com|a > b>", "unescaped > at character 20: '>'"),
        ("<https://e.com|a|b>", "unescaped < at character 0: '<https://e.com|a|b>'"),
        ("<https://e.com|>", "unescaped < at character 0: '<https://e.com|>'"),
        ("<https://e.com?a&b|x>", "unescaped < at character 0: '<https://e.com?a&b|x>'"),
        ("<https://e.com|two\nlines>", "unescaped < at character 0: '<https://e.com|two\\nlines'"),
        ("<!date^1764000000^{time}>", "unescaped < at character 0: '<!date^1764000000^{time}'"),
    ],
)
def test_what_slack_would_misread_is_refused_with_its_place(text, place):
    """Text that was not escaped never reaches the channel, neither in a block nor as the fallback."""
    assert f"{place} [json-pointer:/blocks/0/text/text]" in sentences(section(text))
    assert (("invalid_arguments", f"{place} [json-pointer:/text]")) in found(text=text)


@pytest.mark.parametrize("text", ["a < b", "R&D", "<https://example.com|x>", "<!here>"])
def test_plain_text_knows_entities_but_no_constructs(text):
    """A header shows <...> as it is, so it must have been escaped."""
    assert any("unescaped" in sentence for sentence in sentences({"type": "header", "text": plain(text)}))


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\r", "\x0b", "\ud800"])
def test_characters_that_are_no_text_are_refused_everywhere(character):
    """C0 controls but newline and tab, and lone surrogates, are refused in text, blocks and metadata."""
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
    """A body that only exists to exhaust the stack is refused, not followed."""
    payload: Any = "deep"
    for _ in range(500):
        payload = {"a": payload}
    metadata = {"event_type": "card", "event_payload": payload}
    assert [error for error, _ in found(metadata=metadata)] == ["invalid_metadata_format"]


@pytest.mark.parametrize("message", [{}, {"text": " \n"}, {"blocks": []}, {"text": "", "blocks": []}])
def test_a_message_needs_text_or_blocks(message):
    """Nothing to show is no_text."""
    assert [problem.error for problem in check_message(message)] == ["no_text"]


def test_text_is_optional_beside_blocks_and_limited_to_40000_characters():
    """Slack only warns about a missing fallback; its length is what it refuses."""
    assert check_message({"blocks": [{"type": "divider"}]}) == []
    assert check_message({"text": "a" * 40_000}) == []
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
def test_an_argument_slack_would_ignore_or_misread_is_named(arguments, expected):
    """A misspelt or wrongly typed argument is invalid_arguments, with its name."""
    assert ("invalid_arguments", expected) in found({"type": "divider"}, **arguments)


def test_a_webhook_is_bound_to_its_channel():
    """An incoming webhook takes no channel."""
    message = {"text": "a", "channel": "C0123456789"}
    assert [str(problem) for problem in check_message(message, WEBHOOK_ARGUMENTS)] == [
        "unknown argument: channel [json-pointer:/channel]"
    ]
    assert check_message(message) == []


UPDATE: Json = {"channel": "C0123456789", "ts": "1764000000.000001", "text": "a"}


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
    """Content has the same limits; a thread, unfurling and mrkdwn belong to a post alone."""
    assert check_update(UPDATE) == []
    assert expected in [str(problem) for problem in check_update(UPDATE | change)]


def test_an_update_names_its_message():
    """Without a ts it is invalid_arguments, and a post takes none."""
    problems = check_update({"channel": "C0123456789", "text": "a"})
    assert [(problem.error, str(problem)) for problem in problems] == [
        ("invalid_arguments", "missing required field: ts")
    ]
    assert [str(problem) for problem in check_message(UPDATE)] == ["unknown argument: ts [json-pointer:/ts]"]


def test_an_empty_object_removes_metadata_but_posts_none():
    """An update may give {} for metadata, a post may not."""
    assert check_update(UPDATE | {"metadata": {}}) == []
    assert {error for error, _ in found(metadata={})} == {"invalid_metadata_schema"}


@pytest.mark.parametrize(
    ("known", "arguments", "expected"),
    [
        (DELETE_ARGUMENTS, {"text": "a"}, "unknown argument: text [json-pointer:/text]"),
        (HISTORY_ARGUMENTS, {"ts": "1764000000.000001"}, "unknown argument: ts [json-pointer:/ts]"),
        (HISTORY_ARGUMENTS, {"inclusive": "yes"}, "must provide a boolean [json-pointer:/inclusive]"),
        (
            REPLIES_ARGUMENTS,
            {"include_all_metadata": 1},
            "must provide a boolean [json-pointer:/include_all_metadata]",
        ),
        (REPLIES_ARGUMENTS, {"cursor": "\x00"}, "character U+0000 at 0 is not text [json-pointer:/cursor]"),
    ],
)
def test_reading_and_deleting_have_arguments_of_their_own(known, arguments, expected):
    """What one method takes is unknown to another; a switch is a boolean."""
    assert [str(problem) for problem in check_arguments(arguments, known)] == [expected]


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
    """Metadata of another shape is refused under Slack's two names."""
    problems = found(metadata=metadata)
    assert {name for name, _ in problems} == {error}
    assert found(metadata={"event_type": "card", "event_payload": {"a": [1, None]}}) == []


def test_json_and_form_bodies_give_the_same_arguments():
    """The form carries blocks and metadata as JSON strings and switches as words or digits."""
    form = b"channel=C1&text=a%26amp%3Bb&blocks=%5B%7B%22type%22%3A%22divider%22%7D%5D&unfurl_links=0"
    arguments = {
        "channel": "C1",
        "text": "a&amp;b",
        "blocks": [{"type": "divider"}],
        "unfurl_links": False,
    }
    assert decode("application/x-www-form-urlencoded", form) == arguments
    assert decode("application/json", json.dumps(arguments).encode()) == arguments
    assert decode('application/json; charset="UTF-8"', json.dumps(arguments).encode()) == arguments
    assert decode("", b"") == {}
    reading = b"channel=C1&limit=5&inclusive=1&include_all_metadata=false"
    assert decode("application/x-www-form-urlencoded", reading) == {
        "channel": "C1",
        "limit": "5",
        "inclusive": True,
        "include_all_metadata": False,
    }


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("", b"{}", "missing_post_type"),
        ("text/plain", b"{}", "invalid_post_type"),
        ("application/json; charset=latin-1", b"{}", "invalid_charset"),
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"\xff", "invalid_json"),
        ("application/json", b'{"a": NaN}', "invalid_json"),
        ("application/json", b'{"a": 1, "a": 2}', "invalid_json"),
        ("application/json", b'{"a": ' + b"[" * 100_000, "invalid_json"),
        ("application/json", b"[]", "json_not_object"),
        ("application/x-www-form-urlencoded", b"channel", "invalid_form_data"),
        ("application/x-www-form-urlencoded", b"text=%ff", "invalid_form_data"),
        ("application/x-www-form-urlencoded", b"text=\xc3\xa9", "invalid_form_data"),
        ("application/x-www-form-urlencoded", b"text=a&text=b", "invalid_array_arg"),
        ("application/x-www-form-urlencoded", b"blocks=no", "invalid_blocks_format"),
        ("application/x-www-form-urlencoded", b"metadata=no", "invalid_metadata_format"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_by_name(content_type, body, error):
    """Each way to send an unreadable body has its own error."""
    with pytest.raises(RefusedError) as refusal:
        decode(content_type, body)
    assert refusal.value.problems[0].error == error
