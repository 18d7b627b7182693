"""replay publishes what is stored again, under its own id, to all subscribers or to one."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PubsubMessage, Subscription, Topic

from clients.pubsub.publisher import connect
from local.pubsub.server import PubSubServer
from ops.__main__ import ops
from ops.replay import command
from ops.send import accounts
from tests.support.messages import NOON, an_issue
from tests.support.pubsub import TIMEOUT, Inbox, PubSub
from tests.support.rows import stored
from tests.support.warehouse import PROJECT, Warehouse

MONA = accounts.Account(login="mona")
WEB = accounts.Repository(full_name="acme/web")
HOUR = timedelta(hours=1)


OPENED = an_issue(body="Grüße \N{PARTY POPPER}").opened()
COMMENTED = an_issue().commented(MONA, NOON + HOUR, "x")
ROWS = [
    stored(OPENED, "opened", NOON),
    stored(OPENED, "opened", NOON + HOUR),
    stored(COMMENTED, "commented", NOON + HOUR),
    stored(an_issue(number=8).opened(), "old", NOON + HOUR, source="backfill"),
    stored(an_issue(repository=WEB).opened(), "web", NOON + 2 * HOUR),
    stored(an_issue(number=9).opened(), "bare", NOON + 3 * HOUR, with_payload=False),
    stored(an_issue(number=10).opened(), "late", NOON + 3 * HOUR, with_payload=False),
    stored(an_issue(number=10).opened(), "late", NOON + 4 * HOUR),
]


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Return a dataset with the rows."""
    name = warehouse.dataset(views=["issue_events"])
    warehouse.insert(name, ROWS)
    return name


@pytest.fixture
def inbox(warehouse: Warehouse, dataset: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """Return the topic, which has the subscription stream-bq; the environment names it and the dataset."""
    server = PubSubServer()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", server.start())
    inbox = PubSub(host=server.host).new_topic("github-events")
    name = "projects/test/subscriptions/stream-bq"
    inbox.subscriber.create_subscription(Subscription(name=name, topic=inbox.topic), timeout=TIMEOUT)
    monkeypatch.setenv("PUBSUB_TOPIC", inbox.topic)
    monkeypatch.setenv("BIGQUERY_DATASET", f"{PROJECT}.{dataset}")
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.url)
    yield inbox
    inbox.channel.close()
    server.stop()


def run(*arguments: str, answer: str = "") -> Result:
    """Run the command."""
    return CliRunner().invoke(ops, ["replay", *arguments], input=answer, prog_name="issuewire")


def published(inbox: Inbox) -> list[PubsubMessage]:
    """Return what was published and not seen yet."""
    connect().publish(topic=inbox.topic, messages=[{"attributes": {"delivery_id": "end"}}], timeout=TIMEOUT)
    return inbox.until("end")[:-1]


def ids(inbox: Inbox) -> list[str]:
    """Return the delivery ids of what was published and not seen yet."""
    return [message.attributes["delivery_id"] for message in published(inbox)]


def test_a_delivery_is_published_as_it_was(inbox: Inbox) -> None:
    """It keeps its id, event, receipt and hook, and its body as JSON; only the source says replay."""
    result = run("--delivery", "opened", "--yes")
    assert (result.exit_code, result.stdout) == (
        0,
        "1 delivery published again, to all subscribers of projects/test/topics/github-events.\n",
    )
    [message] = published(inbox)
    assert json.loads(message.data) == OPENED.payload
    assert dict(message.attributes) == {
        "event": "issues",
        "action": "opened",
        "delivery_id": "opened",
        "repository": "acme/app",
        "received_at": "2026-01-05T12:00:00.000000Z",
        "source": "replay",
        "schema": "1",
        "hook_id": "5",
    }
    assert run("--delivery", "opened", "--yes").exit_code == 0
    assert ids(inbox) == ["opened"]


def test_an_issue_is_published_for_one_subscription(inbox: Inbox) -> None:
    """--issue publishes the issue's deliveries by their receipt; --only names the one subscription."""
    result = run("--issue", "Acme/App#7", "--only", "stream-bq", "--yes")
    assert result.stdout == "2 deliveries published again, to stream-bq.\n"
    messages = published(inbox)
    assert [message.attributes["delivery_id"] for message in messages] == ["opened", "commented"]
    assert {message.attributes["only"] for message in messages} == {"stream-bq"}


def test_a_span_is_published(inbox: Inbox) -> None:
    """--since counts and --until does not; what was backfilled stays so."""
    result = run("--since", "2026-01-05T13:00Z", "--until", "2026-01-05T14:00Z", "--yes", "--json")
    assert json.loads(result.stdout) == {"replayed": 3, "without_payload": [], "only": None}
    sources = {
        message.attributes["delivery_id"]: message.attributes["source"] for message in published(inbox)
    }
    assert sources == {"commented": "replay", "old": "backfill", "opened": "replay"}


def test_rows_without_a_payload_are_named(inbox: Inbox) -> None:
    """A delivery of which no copy has a payload is named, counted and left out; the rest is published."""
    result = run("--since", "2026-01-05T14:00Z", "--yes", "--json")
    assert json.loads(result.stdout) == {"replayed": 2, "without_payload": ["bare"], "only": None}
    plan = [line for line in result.stderr.splitlines() if line[0].isdecimal()]
    assert plan == [
        "2 deliveries, received from 2026-01-05 14:00:00 to 2026-01-05 15:00:00 UTC: issues.opened 2.",
        "1 delivery has no payload in BigQuery and cannot be replayed: bare.",
    ]
    assert ids(inbox) == ["web", "late"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--delivery", "opened", "--delivery", "none"), "not stored: none"),
        (("--issue", "acme/app#99"), "nothing is stored of acme/app#99"),
        (("--issue", "acme/none#1"), "nothing is stored of acme/none"),
        (
            ("--delivery", "opened", "--only", "none"),
            "projects/test/subscriptions/none does not exist.",
        ),
    ],
)
def test_what_is_named_must_exist(inbox: Inbox, arguments: tuple[str, ...], message: str) -> None:
    """If something that was named is not there, one line says so, and nothing is published."""
    result = run(*arguments, "--yes")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, f"Error: {message}")
    assert ids(inbox) == []


def test_another_topic_s_subscription_is_refused(inbox: Inbox) -> None:
    """--only takes a subscription of the topic: no one else would read the replay."""
    connect().create_topic(Topic(name="projects/test/topics/other"), timeout=TIMEOUT)
    name = "projects/test/subscriptions/elsewhere"
    inbox.subscriber.create_subscription(
        Subscription(name=name, topic="projects/test/topics/other"), timeout=TIMEOUT
    )
    for more in ((), ("--seek",)):
        result = run("--since", "2026-01-05", "--only", "elsewhere", "--yes", *more)
        assert result.stderr == f"Error: {name} is not a subscription of projects/test/topics/github-events\n"


def test_an_empty_span_is_no_error(inbox: Inbox) -> None:
    """Nothing received in the span means nothing to do, and nothing to ask."""
    result = run("--since", "2020-01-01", "--until", "2020-01-02")
    nothing = "Nothing to replay: BigQuery has no such delivery with a payload.\n"
    assert (result.exit_code, result.stdout) == (0, nothing)
    assert ids(inbox) == []


def test_without_a_yes_nothing_is_published(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal one line asks for --yes; with one, the plan is asked about, and a no is a no."""
    result = run("--delivery", "opened")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "Error: there is no terminal to ask on; add --yes to do it"
    monkeypatch.setattr("ops.cli.has_terminal", lambda: True)
    result = run("--delivery", "opened", answer="n\n")
    assert result.exit_code == 1
    assert (
        "Publish 1 delivery again, to all subscribers of projects/test/topics/github-events? [y/N]: n\n"
        in result.stderr
    )
    assert ids(inbox) == []


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--until", "2026-01-05"),
        ("--delivery", "a", "--issue", "acme/app#7"),
        ("--delivery", "a", "--since", "2026-01-05"),
        ("--delivery", "a", "--until", "2026-01-05"),
        ("--issue", "acme/app"),
        ("--since", "yesterday"),
        ("--since", "2026-01-06", "--until", "2026-01-06"),
        ("--seek", "--since", "2026-01-05"),
        ("--seek", "--delivery", "a", "--only", "stream-bq"),
        ("--seek", "--since", "2026-01-05", "--until", "2026-01-06", "--only", "stream-bq"),
    ],
)
def test_one_kind_of_selection(arguments: tuple[str, ...]) -> None:
    """The options must select deliveries in one way; --seek needs a beginning and a subscription."""
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("more", [(), ("--only", "stream-bq", "--seek", "--yes")])
def test_the_future_is_refused(more: tuple[str, ...]) -> None:
    """Nothing was received in the future, and a seek to it would drop all messages that wait."""
    result = run("--since", "9000-01-01", *more)
    assert (result.exit_code, "--since is in the future: 9000-01-01 00:00:00 UTC" in result.stderr) == (
        2,
        True,
    )


def test_a_failure_says_how_far_it_came(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the topic stops answering, the message says how many are published, and to run it again."""
    monkeypatch.setattr(command, "BATCH", 2)
    publish = PublisherClient.publish

    def once(self: PublisherClient, request: object, **options: object) -> object:
        monkeypatch.setattr(PublisherClient, "publish", fail)
        return publish(self, request, **options)

    def fail(*_: object, **__: object) -> None:
        raise DeadlineExceeded("no answer")

    monkeypatch.setattr(PublisherClient, "publish", once)
    result = run("--since", "2026-01-05", "--until", "2026-01-05T14:00Z", "--yes")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "Error: projects/test/topics/github-events did not confirm: DeadlineExceeded. "
        "2 of 3 deliveries published; run the same command again."
    )
    monkeypatch.setattr(PublisherClient, "publish", publish)
    assert ids(inbox) == ["opened", "commented"]


def test_pub_sub_itself_delivers_again(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --seek, Pub/Sub delivers again to one subscription what it has kept; BigQuery is not asked."""
    topic = "projects/test/topics/kept"
    monkeypatch.setenv("PUBSUB_TOPIC", topic)
    client = connect()
    client.create_topic({"name": topic, "message_retention_duration": {"seconds": 600}}, timeout=TIMEOUT)
    name = "projects/test/subscriptions/notify-slack"
    inbox.subscriber.create_subscription(Subscription(name=name, topic=topic), timeout=TIMEOUT)
    client.publish(topic=topic, messages=[{"attributes": {"delivery_id": "d-1"}}], timeout=TIMEOUT)
    kept = Inbox(topic=topic, subscription=name, subscriber=inbox.subscriber, channel=inbox.channel)
    assert len(kept.until("d-1")) == 1
    arguments = ("--since", "2026-01-05", "--only", "notify-slack", "--seek")
    assert run(*arguments).exit_code == 1
    result = run(*arguments, "--yes")
    assert (result.exit_code, result.stdout) == (0, "Pub/Sub delivers again to notify-slack.\n")
    assert result.stderr == (
        "notify-slack gets again what Pub/Sub received from 2026-01-05 00:00:00 UTC on, and still has.\n"
        "What it was sent before then and has not acknowledged is dropped.\n"
    )
    assert len(kept.until("d-1")) == 1
