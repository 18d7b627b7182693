"""Hostile texts for an issue, and the rules that every message about it keeps."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from clients.slack.blocks import Message
from functions.notify_slack.routing.routes import Destination
from local.slack.rules.arguments import check_arguments
from local.slack.rules.mrkdwn import CONTROL

PIECES = [
    "<!channel>", "<!here|x>", "<@U1>", "<@U1MONA>", "<@U1|mona>", "<#C1>", "<!subteam^S1>",
    "<!date^1^{date}|x>", "<https://evil.example|click>", "https://evil.example",
    "[x](https://evil.example)", "![x](https://evil.example)", "<!-- x -->", "<b>", "</details>",
    "&", "&lt;", "&lt;!channel&gt;", "&#60;", "<", ">", "|", "*", "_", "~", "`", "```", "**", "~~",
    "- ", "- [ ] ", "> ", "# ", "    ", "|-|\n", "\n", "\n\n", "\r", "\0", "\x1b[31m", "\ud800", "\udfff",
    "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\u200d", "👩\u200d💻", "❤\ufe0f",
    "Z" + "\u0351" * 40, "]]>", ":bug:", "@channel", "@mona", "/", "..", "a", "Ä", "漢", " ",
]  # fmt: skip
text = st.tuples(
    st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=5), max_size=12).map("".join),
    st.sampled_from([1, 1, 1, 7, 500, 20_000]),
).map(lambda drawn: (drawn[0] * drawn[1])[:300_000])
value = text | st.sampled_from([None, 0, -1, [], {}, True, 1.5])
login = value | st.sampled_from(["mona", "MONA", "w1"])
moments = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
account = st.one_of(st.none(), st.fixed_dictionaries({"login": login}))
destinations = st.builds(
    Destination,
    channel=st.just("C0123456789"),
    format=st.sampled_from(["compact", "full"]),
    people=st.sampled_from([{}, {"mona": "U1MONA", "w1": "W1"}]),
    mention=st.sampled_from([(), ("U2", "W1", "S1TEAM")]),
    final_update=st.booleans(),
)
events = st.sampled_from(
    [
        *(("issues", action) for action in ("opened", "closed", "reopened", "labeled", "assigned")),
        *(("issues", action) for action in ("deleted", "transferred")),
        ("issue_comment", "created"),
    ]
)


@st.composite
def hostile_payloads(draw: st.DrawFn, action: str) -> dict[str, Any]:
    """Draw a payload in which every field that Slack shows has any value."""
    return {
        "action": action,
        "issue": {
            "id": 1,
            "title": draw(value),
            "number": draw(st.integers(-(2**63), 2**63 - 1)),
            "state": draw(value | st.sampled_from(["open", "closed"])),
            "comments": draw(st.integers() | value),
            "assignees": draw(st.lists(st.fixed_dictionaries({"login": login}), max_size=9)),
            "user": draw(account),
            "labels": draw(st.lists(st.fixed_dictionaries({"name": value}), max_size=9)),
            "milestone": draw(st.none() | st.fixed_dictionaries({"title": value})),
            "state_reason": draw(value | st.sampled_from(["completed", "not_planned", "duplicate"])),
            "created_at": draw(moments | value),
            "updated_at": draw(moments | value),
            "closed_at": draw(moments | value),
            "html_url": draw(value),
            "body": draw(value),
        },
        "comment": {"id": draw(st.integers()), "body": draw(value), "user": draw(account)},
        "assignee": draw(account),
        "repository": {"full_name": draw(value | st.just("acme/app")), "id": draw(st.integers(0, 2**62))},
        "changes": {"new_repository": {"full_name": draw(value)}, "new_issue": {"number": draw(value)}},
        "sender": draw(account),
    }


def wire(message: Message) -> dict[str, Any]:
    """Return the message as Slack receives it, in UTF-8."""
    content = {"text": message.text, "blocks": list(message.blocks), "metadata": message.metadata}
    return json.loads(json.dumps(content, ensure_ascii=False).encode())


def texts(value: Any) -> Iterator[str]:
    """Yield every text in the message."""
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from texts(inner)
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        yield value["text"]


def assert_inert(message: Message, github_url: str, destination: Destination) -> None:
    """Assert Slack's rules, and only dates, links below `github_url` and mentions that the routes name."""
    sent = wire(message)
    assert check_arguments("chat.postMessage", {"channel": "C1", **sent}) == []
    known = {*destination.people.values(), *destination.mention}
    for drawn in texts(sent):
        for construct in CONTROL.finditer(drawn):
            ours = (construct["url"] or "").startswith(f"{github_url}/")
            who = construct["user"] or construct["group"]
            assert construct["stamp"] or ours or who in known, construct[0]
    assert sent["text"].strip()
    mentions = [found[0] for found in CONTROL.finditer(sent["text"])]
    assert all(mention.startswith(("<@", "<!subteam")) for mention in mentions)
    assert all(mention in str(sent["blocks"]) for mention in mentions)
    assert len(sent["text"]) < 600
    assert sum(map(len, texts(sent))) < 3_000
    assert len(json.dumps(sent["metadata"])) < 1_000
