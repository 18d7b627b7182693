"""dead-letters lists, shows, replays and discards what Pub/Sub gave up on; nothing is lost by reading."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import Subscription

from clients.pubsub.held_messages import HeldMessages
from local.pubsub.server import PubSubServer
from ops.__main__ import ops
from ops.dead_letters import hold
from ops.dead_letters.reasons import Reasons
from tests.support.held import fill
from tests.support.pubsub import Inbox, PubSub

HOLD = "projects/test/subscriptions/github-events-dead-hold"
READING = f"Reading {HOLD} ...\n"
LOCAL = "Reasons are left out: gcloud is not installed.\n"


@pytest.fixture
def pubsub(monkeypatch: pytest.MonkeyPatch) -> Iterator[PubSub]:
    """Start a Pub/Sub that the commands find, whose end of the hold is seen at once; hide gcloud."""
    server = PubSubServer()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", server.start())
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(HeldMessages.__init__.__kwdefaults__, "pull_seconds", 0.2)
    yield PubSub(host=server.host)
    server.stop()


@pytest.fixture
def topic(pubsub: PubSub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """Return the topic with what is published to it; PUBSUB_TOPIC names it."""
    inbox = pubsub.new_topic("github-events")
    monkeypatch.setenv("PUBSUB_TOPIC", inbox.topic)
    yield inbox
    inbox.channel.close()


@pytest.fixture
def dead(pubsub: PubSub, topic: Inbox) -> Iterator[str]:
    """Return the dead-letter topic, which has its hold."""
    inbox = pubsub.new_topic("github-events-dead")
    notify_slack = Subscription(name="projects/test/subscriptions/notify-slack", topic=topic.topic)
    for subscription in (Subscription(name=HOLD, topic=inbox.topic), notify_slack):
        inbox.subscriber.create_subscription(subscription, timeout=10)
    yield inbox.topic
    inbox.channel.close()


def run(*arguments: str, answer: str = "") -> Result:
    """Run a command."""
    return CliRunner().invoke(ops, ["dead-letters", *arguments], input=answer, prog_name="issuewire")


def held_ids() -> list[str]:
    """Return the delivery ids that are held."""
    return sorted(message["delivery_id"] for message in json.loads(run("list", "--json").stdout)["messages"])


def test_the_list_says_what_was_given_up_and_leaves_it(dead: str) -> None:
    """The list has id, event, issue, subscription, attempts and age; a second list shows the same."""
    fill(dead, 2, redriven="1")
    first, second = run("list"), run("list")
    assert first.exit_code == 0
    assert first.stdout == second.stdout
    lines = first.stdout.splitlines()
    assert lines[0::2] == [
        "d-0  issues.opened  acme/app#0",
        "d-1  issues.opened  acme/app#1",
        "2 messages (notify-slack 2) held.",
    ]
    line = r"  notify-slack gave up after 100 attempts; received \d+\Ddays ago; driven again 1 time"
    assert re.fullmatch(line.replace(r"\d+", r"[\d.]+").replace("days", r"(days|weeks)"), lines[1])
    assert first.stderr == READING + LOCAL


def test_the_list_as_json(dead: str) -> None:
    """--json has every field, and null where something is not known."""
    fill(dead, 1)
    [message] = json.loads(run("list", "--json").stdout)["messages"]
    age, held_at = message.pop("age_seconds"), message.pop("held_at")
    assert age > 0
    assert held_at.endswith("Z")
    assert message.pop("message_id").isdecimal()
    assert message == {
        "delivery_id": "d-0",
        "event": "issues",
        "action": "opened",
        "repository": "acme/app",
        "issue": 0,
        "gave_up": "notify-slack",
        "attempts": 100,
        "redriven": 0,
        "received_at": "2026-01-05T12:00:00.000000Z",
        "bytes": 24,
        "reason": None,
    }


@pytest.mark.usefixtures("dead")
def test_nothing_is_held() -> None:
    """An empty hold is no error, whatever is asked for."""
    assert run("list").stdout == "No message is held.\n"
    assert json.loads(run("list", "--json").stdout) == {"messages": []}
    for command in ("replay", "discard"):
        assert run(command, "--all").stdout == "No message is held.\n"


def test_a_message_is_shown_with_its_body(dead: str) -> None:
    """A message is found by the delivery's id and by its own; its body is decoded, and it stays."""
    fill(dead, 2)
    shown = run("show", "d-1")
    assert shown.stdout.startswith("d-1  issues.opened  acme/app#1\n")
    assert '{\n  "issue": {\n    "number": 1\n  }\n}\n' in shown.stdout
    [message] = json.loads(run("show", "d-1", "--json").stdout)["messages"]
    assert message["body"] == {"issue": {"number": 1}}
    assert (
        json.loads(run("show", message["message_id"], "--json").stdout)["messages"][0]["delivery_id"] == "d-1"
    )
    assert held_ids() == ["d-0", "d-1"]


def test_an_unknown_id_is_named_and_nothing_is_done(dead: str) -> None:
    """If one of the ids is not held, no message is touched."""
    fill(dead, 1)
    for command in (("show",), ("replay", "--yes"), ("discard", "--yes")):
        result = run(*command, "d-0", "none")
        assert (result.exit_code, result.stderr) == (
            1,
            READING + "Error: no held message has the id none; see ./issuewire dead-letters list\n",
        )
    assert held_ids() == ["d-0"]


@pytest.mark.parametrize("arguments", [(), ("d-0", "--all")])
def test_one_or_all(arguments: tuple[str, ...]) -> None:
    """Replaying and discarding need ids or --all, and not both."""
    for command in ("replay", "discard"):
        result = run(command, *arguments)
        assert (result.exit_code, "give one or more IDs, or --all" in result.stderr) == (2, True)


def test_without_a_terminal_yes_is_needed(dead: str) -> None:
    """Without a terminal and without --yes, nothing is done, and one line says why."""
    fill(dead, 1)
    for command in ("replay", "discard"):
        result = run(command, "--all")
        assert result.exit_code == 1
        assert result.stderr.splitlines()[-1] == "Error: there is no terminal to ask on; add --yes to do it"
    assert held_ids() == ["d-0"]


def test_a_no_changes_nothing(dead: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan is shown and asked about; after a no, everything is still held."""
    monkeypatch.setattr("ops.cli.has_terminal", lambda: True)
    monkeypatch.setattr(hold, "SHOWN", 1)
    fill(dead, 2)
    result = run("replay", "--all", answer="n\n")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        f"{READING}d-0  issues.opened  acme/app#0\n... and 1 more message\n"
        "Publish again: 2 messages (notify-slack 2)? [y/N]: "
    )
    assert held_ids() == ["d-0", "d-1"]


def test_a_replayed_message_goes_to_its_subscription(dead: str, topic: Inbox) -> None:
    """A replayed message is on the topic for the subscription that gave up, and is held no longer."""
    fill(dead, 2)
    result = run("replay", "d-1", "--yes")
    assert (result.exit_code, result.stdout) == (0, "1 message (notify-slack 1) replayed.\n")
    [message] = topic.until("d-1")
    assert message.attributes.items() >= {"only": "notify-slack", "redriven": "1", "source": "replay"}.items()
    assert held_ids() == ["d-0"]


def test_all_messages_are_replayed_in_groups(
    dead: str, topic: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--all replays everything, with progress on stderr and the outcome as JSON."""
    monkeypatch.setattr(hold, "PULL", 2)
    fill(dead, 5)
    result = run("replay", "--all", "--yes", "--json")
    assert json.loads(result.stdout) == {"replayed": 5, "ids": [f"d-{number}" for number in range(5)]}
    assert result.stderr.splitlines()[-1] == "Publishing: 5 messages"
    assert len(topic.until("d-4")) == 5
    assert held_ids() == []


def test_a_failure_says_how_far_it_came(dead: str, topic: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the topic stops answering, the rest stays on the hold, and the same command continues."""
    monkeypatch.setattr(hold, "PULL", 2)
    fill(dead, 3)
    publish = PublisherClient.publish

    def once(self: PublisherClient, request: object, **options: object) -> object:
        monkeypatch.setattr(PublisherClient, "publish", fail)
        return publish(self, request, **options)

    def fail(*_: object, **__: object) -> None:
        raise DeadlineExceeded("no answer")

    monkeypatch.setattr(PublisherClient, "publish", once)
    result = run("replay", "--all", "--yes")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "Error: projects/test/topics/github-events did not confirm: DeadlineExceeded. "
        "2 of 3 messages replayed; run the same command again."
    )
    monkeypatch.setattr(PublisherClient, "publish", publish)
    assert run("replay", "--all", "--yes").stdout == "1 message (notify-slack 1) replayed.\n"
    assert len(topic.until("d-2")) == 3


def test_no_message_is_replayed_to_no_one(dead: str) -> None:
    """If the subscription that gave up is gone, its messages stay; they can still be discarded."""
    fill(dead, 2, CloudPubSubDeadLetterSourceSubscription="former")
    result = run("replay", "--all", "--yes")
    advice = (
        r"No one would read again what it gave up on: 2 messages. Deploy its function, or run: "
        r"./issuewire dead-letters discard \d+ \d+\n"
    )
    missing = f"{READING}Error: projects/test/subscriptions/former does not exist. "
    assert result.stderr.startswith(missing)
    assert re.fullmatch(advice, result.stderr.removeprefix(missing))
    assert result.exit_code == 1
    assert run("discard", "--all", "--yes").stdout == "2 messages (former 2) discarded.\n"


def test_a_discarded_message_is_gone(dead: str) -> None:
    """A discarded message is held no longer, and is published nowhere."""
    fill(dead, 2)
    assert run("discard", "d-0", "--yes").stdout == "1 message (notify-slack 1) discarded.\n"
    assert held_ids() == ["d-1"]


def test_the_limit_is_told(dead: str) -> None:
    """If more may be held than are read, a line says so."""
    fill(dead, 2)
    result = run("list", "--limit", "1")
    assert result.stdout.splitlines()[-1] == "1 message (notify-slack 1) held."
    assert "There may be more: only 1 message may be read (--limit).\n" in result.stderr


@pytest.mark.usefixtures("topic")
def test_a_missing_hold_is_one_line() -> None:
    """A hold that does not exist is named in one line."""
    result = run("list")
    assert (result.exit_code, result.stderr) == (1, f"{READING}Error: {HOLD} does not exist.\n")


def test_reasons_are_shown_where_gcloud_has_them(dead: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason stands below the message; if only some are read, a line says why."""
    fill(dead, 1)
    found = Reasons(found={("d-0", "notify-slack"): "slack_failed: no"}, left_out="only some are read")
    monkeypatch.setattr("ops.dead_letters.command.from_cloud", lambda *_: found)
    result = run("list")
    assert result.stdout.splitlines()[2] == "  slack_failed: no"
    assert result.stderr.endswith("Reasons are left out: only some are read.\n")


def test_reasons_are_shown_from_the_functions_logs(dead: str, tmp_path: Path) -> None:
    """With --logs, the reason is the last error in the function's file about the delivery."""
    fill(dead, 1)
    about = {"delivery_id": "d-0", "severity": "ERROR", "reason": "slack_failed"}
    lines = [about | {"message": "old"}, about | {"message": "new"}, about | {"severity": "INFO"}]
    (tmp_path / "notify_slack.log").write_text("starting\n" + "\n".join(map(json.dumps, lines)) + "\n{\n")
    (tmp_path / "stream_bq.log").write_text(json.dumps(about | {"message": "of another"}))
    result = run("list", "--logs", str(tmp_path))
    assert result.stdout.splitlines()[2] == "  slack_failed: new"
    assert result.stderr == READING
