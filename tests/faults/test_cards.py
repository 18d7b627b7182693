"""Deliveries that once came out wrong in Slack, each through the running function, with its right value."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.slack.message import Message
from local.slack.server import SlackServer
from tests.support.framework import Function, function
from tests.support.messages import post_raw, push

DATA = Path(__file__).parent / "data"
TOKEN = "xoxb-local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What Slack shows after the steps of one case, and the function's log lines about them."""

    messages: list[Message]
    log: list[dict[str, Any]]

    @property
    def cards(self) -> list[str]:
        """Return each card's texts as one text."""
        return [" ".join(drawn(message)) for message in self.messages if message.thread_ts is None]

    @property
    def card(self) -> str:
        """Return the only card's texts as one text."""
        [card] = self.cards
        return card

    @property
    def replies(self) -> list[str]:
        """Return the texts of the replies' notifications."""
        return [message.text for message in self.messages if message.thread_ts is not None]

    @property
    def everything(self) -> str:
        """Return all texts, of notifications and of blocks."""
        return " ".join(text for message in self.messages for text in (message.text, *drawn(message)))


def drawn(message: Message) -> list[str]:
    """Return the texts of the blocks."""
    found = []
    for block in message.blocks:
        parts = [block["text"]] if "text" in block else []
        parts += [*block.get("fields", ()), *block.get("elements", ())]
        found += [part["text"] for part in parts]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The keys of the case's route, and what is right; `assert_right` asserts it."""

    assert_right: Callable[[Shown], None]
    route: str = ""


def private_destination(shown: Shown) -> None:
    """Assert that a channel of public issues is not told which private repository one went to."""
    assert "transferred to a private repository by mona" in shown.card
    assert shown.replies == ["mona transferred this to a private repository"]
    assert "secret-merger" not in shown.everything


def followed_comment(shown: Shown) -> None:
    """Assert that after an edit and a deletion none of the comment's words is left."""
    assert shown.replies == ["mona deleted a comment"]
    assert "hunter2" not in shown.everything
    assert "removed" not in shown.everything


def transferred_without_number(shown: Shown) -> None:
    """Assert that an unknown number is left out."""
    assert "transferred to acme/website by mona" in shown.card


def arrived(shown: Shown) -> None:
    """Assert that an arrival is not new, shows its date and origin, and calls no one if it is closed."""
    still_open, closed = shown.cards
    assert not re.search("new by|new issue", shown.everything, re.IGNORECASE)
    assert "2024-12-02" in still_open
    assert "transferred from acme/legacy#7" in still_open
    assert "cc <!subteam^S0123456789>" in still_open
    assert "closed as completed" in closed
    assert "cc <" not in closed


def unlabeled(shown: Shown) -> None:
    """Assert that the card of an issue whose label was deleted is updated a last time."""
    assert "`urgent`" not in shown.card
    assert "not followed here any more because of its labels" in shown.card


def late_label(shown: Shown) -> None:
    """Assert that a label that brings an issue into the route mentions its people once."""
    assert "cc <!subteam^S0123456789>" in shown.card
    assert shown.replies == []


def renamed(shown: Shown) -> None:
    """Assert that the card says what became of the issue, and the log that the route is outdated."""
    assert "closed as completed by mona" in shown.card
    assert "not followed here any more because its repository was renamed" in shown.card
    outdated = [line for line in shown.log if line.get("reason") == "route_outdated"]
    assert {line["severity"] for line in outdated} == {"ERROR"}


def closed_twice(shown: Shown) -> None:
    """Assert that a close with two deliveries is told once."""
    assert shown.replies == ["mona closed this as completed · 24 hours after opening"]


def counted(shown: Shown) -> None:
    """Assert that a comment that was written and deleted is counted no more."""
    assert not re.search(r"\d comment", shown.card)


def no_bot(shown: Shown) -> None:
    """Assert that a bot by its type makes no card and adds no reply."""
    assert "#2" in shown.card
    assert shown.replies == []


def nothing(shown: Shown) -> None:
    """Assert that a muted bot's label and comment on old issues make no card."""
    assert shown.messages == []


def says(*replies: str) -> Callable[[Shown], None]:
    """Return an assertion about the replies."""

    def assert_right(shown: Shown) -> None:
        assert shown.replies == list(replies)

    return assert_right


def beside_html(shown: Shown) -> None:
    """Assert that the text in and beside HTML is shown, on the full card and in replies."""
    assert shown.replies == [
        "mona commented: I can see it too",
        "mona commented: Same here on Firefox.",
        "mona commented: Pasted from a mail",
        "mona commented: Logs line one",
    ]


def searchable(shown: Shown) -> None:
    """Assert that underscores inside words stay."""
    assert "user__name lookups in foo__bar" in shown.card


def drawn_emoji(shown: Shown) -> None:
    """Assert that Slack can draw a label's emoji."""
    assert ":bug: `bug`" in shown.card


CASES = {
    "transfer-names-private-repository": Case(assert_right=private_destination, route='private = "never"'),
    "deleted-comment-stays": Case(assert_right=followed_comment),
    "transfer-without-number": Case(assert_right=transferred_without_number),
    "transfer-arrival-called-new": Case(assert_right=arrived, route='mention = ["S0123456789"]'),
    "unlabeled-without-label": Case(assert_right=unlabeled, route='labels_any = ["urgent"]'),
    "late-label-wakes-nobody": Case(
        assert_right=late_label, route='labels_any = ["urgent"]\nmention = ["S0123456789"]'
    ),
    "renamed-repository-leaves-a-stale-card": Case(assert_right=renamed),
    "closed-twice-in-one-second": Case(assert_right=closed_twice),
    "bot-by-type": Case(assert_right=no_bot),
    "muted-bot-makes-cards": Case(assert_right=nothing),
    "alert-dropped": Case(
        assert_right=says("mona commented: Warning: Do not run this in production. Otherwise fine.")
    ),
    "code-prompt-dropped": Case(
        assert_right=says("mona commented: Run this: &gt; npm ci &gt; npm test and tell us.")
    ),
    "image-only-comment": Case(assert_right=says("mona commented: Screenshot of the error")),
    "text-beside-html-lost": Case(assert_right=beside_html, route='format = "full"'),
    "assigned-a-ghost": Case(assert_right=says("mona assigned kim")),
    "assigned-oneself": Case(assert_right=says("octavia took this")),
    "double-underscore": Case(assert_right=searchable),
    "label-emoji-code": Case(assert_right=drawn_emoji),
    "comment-count": Case(assert_right=counted),
}


def channel_of(name: str) -> str:
    """Return the channel of the case."""
    return f"C{sorted(CASES).index(name):03}"


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackServer]:
    """Run the strict stand-in for Slack with one channel for each case."""
    with SlackServer(channels={channel_of(name): name for name in CASES}, token=TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def notify_slack(slack: SlackServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    """Run the function with a route for each case, whose repository has the case's name."""
    folder = tmp_path_factory.mktemp("faults")
    (folder / "routes.toml").write_text(
        "".join(
            f'[[route]]\nname = "{name}"\nchannels = ["{channel_of(name)}"]\n'
            f'repositories = ["acme/{name}"]\n{case.route}\n'
            for name, case in CASES.items()
        )
    )
    environment = {
        "SLACK_TOKEN": TOKEN,
        "SLACK_API_URL": slack.url,
        "ROUTES_FILE": str(folder / "routes.toml"),
    }
    with function("notify_slack", folder, environment) as running:
        yield running


def deliveries(name: str) -> Iterator[dict[str, Any]]:
    """Yield the pushes of the case's steps; its repository has the case's name, and an id of its own."""
    repository_id = 9_000 + sorted(CASES).index(name)
    for number, step in enumerate(json.loads((DATA / f"{name}.json").read_text())):
        payload = json.loads(re.sub(r"acme/(app|twice)(?=\W|2)", f"acme/{name}", json.dumps(step["payload"])))
        payload["repository"]["id"] = repository_id
        attributes = {
            "event": step["event"],
            "delivery_id": f"{name}-{number}",
            "received_at": f"2026-11-04T09:00:{number:02}.000000Z",
            "source": "webhook",
            "schema": "1",
        }
        yield push(json.dumps(payload).encode(), attributes)


@pytest.mark.parametrize("name", CASES)
def test_a_case_that_once_came_out_wrong_is_right(
    notify_slack: Function, slack: SlackServer, name: str
) -> None:
    """Each case, delivered in its order and then once more, comes out right."""
    for body in [*deliveries(name), *deliveries(name)]:
        assert post_raw(notify_slack.url, body).status_code == 200
    ours = [message for message in slack.messages if message.channel == channel_of(name)]
    log = [line for line in notify_slack.log_lines() if line.get("delivery_id", "").startswith(f"{name}-")]
    CASES[name].assert_right(Shown(messages=ours, log=log))


def test_each_case_has_its_deliveries() -> None:
    """No case is without data."""
    assert {f"{name}.json" for name in CASES} <= {path.name for path in DATA.iterdir()}
