"""The blocks that the local Slack accepts."""

import pytest

from local.slack.rules.arguments import check_arguments
from tests.support.slack_blocks import Json, actions, button, found, mrkdwn, plain, section, sentences

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
    """Each text may be as long and each list as full as Slack allows."""
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
def test_a_wrong_block_is_refused_with_slacks_sentence_and_the_place(block, expected):
    """One step past a limit, or a missing, wrong or unknown field is invalid_blocks with a JSON pointer."""
    assert expected in sentences(block)


def test_a_bad_text_names_the_text_object_before_the_place_in_it():
    """Slack's first sentence is about the object, so a client has to log more than the first."""
    assert sentences(section("a" * 3001)) == [
        "failed to match all allowed schemas [json-pointer:/blocks/0/text]",
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ]


def test_a_message_has_at_most_50_blocks():
    """The 51st block refuses the message."""
    assert found(*[{"type": "divider"}] * 50) == []
    assert sentences(*[{"type": "divider"}] * 51) == ["no more than 50 items allowed [json-pointer:/blocks]"]


def test_ids_are_unique_within_a_message():
    """A repeated block_id or action_id refuses the message."""
    divider = {"type": "divider", "block_id": "line"}
    assert sentences(divider, divider) == [
        '`block_id` "line" already exists [json-pointer:/blocks/1/block_id]'
    ]
    assert sentences(actions(button(action_id="open"), button(action_id="open"))) == [
        '`action_id` "open" already exists [json-pointer:/blocks/0/elements/1/action_id]'
    ]


def test_the_texts_of_all_blocks_together_are_limited():
    """Blocks that are each within their limits are refused past 12,000 characters in total."""
    assert found(*[section("a" * 3000)] * 4) == []
    assert found(*[section("a" * 3000)] * 4, section("a")) == [("msg_blocks_too_long", "msg_blocks_too_long")]


@pytest.mark.parametrize("blocks", ["[]", {}, None])
def test_blocks_that_are_no_list_are_a_format_error(blocks):
    """Blocks must be a list; a JSON body with a string of JSON is refused."""
    assert [
        problem.error for problem in check_arguments("chat.postMessage", {"text": "a", "blocks": blocks})
    ] == ["invalid_blocks_format"]
