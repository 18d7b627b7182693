"""notify_slack under the real functions framework, against the strict stand-in for Slack."""

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from clients.slack.attempts import TIMEOUT_SECONDS
from local.slack.server import SlackServer
from ops.send import accounts, payloads
from tests.support.framework import Function, function
from tests.support.messages import NOON, TOPIC_PATH, an_issue, post_cloud_event, post_raw, push

ROOT = Path(__file__).parents[3]
TOKEN = "xoxb-local"
ROUTES = """
[[route]]
name = "everything"
channels = ["C1"]
repositories = ["acme/app", "acme/both"]
[[route]]
name = "both"
channels = ["C2", "C1"]
repositories = ["acme/both"]
[[route]]
name = "quiet about bots"
channels = ["C1"]
repositories = ["acme/bots"]
[[route]]
name = "not quiet"
channels = ["C2"]
repositories = ["acme/bots"]
mute_authors = []
"""
# A channel takes one card a second: most deliveries below have a repository and a channel of their own.
QUIET = {f"acme/app-{number}": f"C1{number:02}" for number in range(60)}
ROUTES += "".join(
    f"""[[route]]\nname = "{repository}"\nchannels = ["{channel}"]\nrepositories = ["{repository}"]\n"""
    for repository, channel in QUIET.items()
)
MARKER = "the body that no log may hold"
MONA = accounts.Account(login="mona")

type Post = Callable[[str, dict[str, Any]], requests.Response]
envelopes = pytest.mark.parametrize("post", [post_raw, post_cloud_event], ids=["push", "CloudEvent"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """The function, its Slack, and its token's file."""

    function: Function
    slack: SlackServer
    token_file: Path

    def post(self, body: dict[str, Any], how: Post = post_raw) -> int:
        """Push one message; return the status."""
        return how(self.function.url, body).status_code

    def cards(self, delivery_id: str) -> list[str]:
        """Return the channels in which the delivery has a card, in the order of posting."""
        return [
            message.channel
            for message in self.slack.messages
            if message.metadata and delivery_id in message.metadata["event_payload"].get("deliveries", ())
        ]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notifier]:
    """Return the function, up, with a token in a file."""
    folder = tmp_path_factory.mktemp("notify_slack")
    (folder / "routes.toml").write_text(ROUTES)
    (folder / "token").write_text(TOKEN)
    channels = {"C1": "issues", "C2": "both", **{channel: name for name, channel in QUIET.items()}}
    with SlackServer(channels=channels, token=TOKEN) as slack:
        environment = {
            "SLACK_TOKEN_FILE": str(folder / "token"),
            "SLACK_API_URL": slack.url,
            "ROUTES_FILE": str(folder / "routes.toml"),
        }
        with function("notify_slack", folder, environment) as up:
            yield Notifier(function=up, slack=slack, token_file=folder / "token")


@pytest.fixture
def notifier(started: Notifier) -> Iterator[Notifier]:
    """Return the function with a healthy Slack; afterwards it is alive, and its log has kept every secret."""
    yield started
    started.slack.clear_faults()
    started.token_file.write_text(TOKEN)
    assert started.post(opened("alive")) == 200
    output = started.function.output()
    assert TOKEN not in output
    assert MARKER not in output
    assert "localwebhooksecret" not in output


def attributes(delivery_id: str, event: str = "issues", **more: str) -> dict[str, str]:
    """Return the attributes of a message."""
    return {
        "event": event,
        "delivery_id": delivery_id,
        "received_at": "2026-01-05T12:00:01.000000Z",
        "source": "webhook",
        "schema": "1",
        **more,
    }


def message_of(event: payloads.Event, delivery_id: str, **more: str) -> dict[str, Any]:
    """Return the push body of an event."""
    return push(json.dumps(event.payload).encode(), attributes(delivery_id, event.name, **more))


def number_of(delivery_id: str) -> int:
    """Return the number of the issue that the delivery is about, an issue of its own."""
    return 1_000 + accounts.number_for(delivery_id)


def repository_of(delivery_id: str) -> str:
    """Return the repository of the delivery."""
    return list(QUIET)[number_of(delivery_id) % len(QUIET)]


def channel_of(delivery_id: str) -> str:
    """Return the channel that hears of it."""
    return QUIET[repository_of(delivery_id)]


def opened(delivery_id: str, repository: str = "", **more: str) -> dict[str, Any]:
    """Return the push body of an issue that was opened."""
    full_name = accounts.Repository(full_name=repository or repository_of(delivery_id))
    issue = an_issue(repository=full_name, body=MARKER, number=number_of(delivery_id))
    return message_of(issue.opened(), delivery_id, **more)


def lines_since(up: Function, before: int) -> list[dict[str, Any]]:
    """Return the lines that were written since; every one of them is JSON."""
    return [json.loads(line) for line in up.output()[before:].splitlines()]


# One message, one card


@envelopes
def test_a_message_makes_a_card_and_its_repetition_none(notifier: Notifier, post: Post) -> None:
    """200 for both, one card; the log says which is which, with the delivery's fields."""
    delivery_id, before = f"once-{post.__name__}", len(notifier.function.output())
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    body = opened(delivery_id, repository="acme/app", action="opened", traceparent=traceparent)
    body["message"]["attributes"]["repository"] = "acme/app"
    assert [notifier.post(body, post) for _ in range(2)] == [200, 200]
    assert notifier.cards(delivery_id) == ["C1"]
    fields = {
        "delivery_id": delivery_id,
        "event": "issues",
        "action": "opened",
        "repository": "acme/app",
        "issue": number_of(delivery_id),
        "trace": "0af7651916cd43dd8448eb211c80319c",
        "channel": "C1",
        "severity": "INFO",
    }
    posted, again = lines_since(notifier.function, before)
    assert posted.items() >= {**fields, "outcome": "posted", "ts": notifier.slack.messages[-1].ts}.items()
    assert again.items() >= {**fields, "outcome": "already_handled"}.items()


def test_simultaneous_repetitions_make_one_card(notifier: Notifier) -> None:
    """Pub/Sub may push a message twice at once; each is acknowledged, after one card."""
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(notifier.post, [opened("together")] * 8))
    assert statuses == [200] * 8
    assert notifier.cards("together") == [channel_of("together")]


def test_what_makes_no_card_is_acknowledged(notifier: Notifier) -> None:
    """Pull requests, other events, history and unrouted repositories: 200, and no call."""
    issue, calls = an_issue(), len(notifier.slack.requests)
    pull = an_issue(is_pull_request=True)
    silent = [
        message_of(pull.commented(MONA, NOON, "x"), "silent-1"),
        message_of(pull.opened(), "silent-2"),
        push(json.dumps(issue.opened().payload).encode(), attributes("silent-3", "sub_issues")),
        message_of(payloads.ping(issue.repository, MONA), "silent-4"),
        opened("silent-5", source="backfill"),
        opened("silent-6", repository="other/app"),
    ]
    before = len(notifier.function.output())
    assert [notifier.post(body) for body in silent] == [200] * len(silent)
    assert len(notifier.slack.requests) == calls
    lines = lines_since(notifier.function, before)
    assert [line["outcome"] for line in lines] == ["not_shown"] * 6
    assert [line["why"] for line in lines[1::2]] == [
        "no card is made of a pull request",
        "no card is made of 'ping', only of issues and their comments",
        "no route names the repository",
    ]


def test_a_bots_issue_makes_no_card_and_the_log_says_why(notifier: Notifier) -> None:
    """Bots are muted unless the file says otherwise: 200, no call to Slack, and the route's reason."""
    bot = accounts.Account(login="dependabot[bot]", type="Bot")
    before, calls = len(notifier.function.output()), len(notifier.slack.requests)
    assert notifier.post(message_of(an_issue(author=bot).opened(), "muted-1")) == 200
    assert len(notifier.slack.requests) == calls
    [line] = lines_since(notifier.function, before)
    assert (line["severity"], line["outcome"]) == ("INFO", "not_shown")
    assert line["why"] == "everything: the author 'dependabot[bot]' is muted by *[bot]"


def test_what_a_bot_does_to_an_issue_changes_its_card_and_adds_no_reply(notifier: Notifier) -> None:
    """A muted sender is not worth a line in the thread, but the card stays true."""
    bot = accounts.Account(login="dependabot[bot]", type="Bot")
    before = len(notifier.function.output())
    assert notifier.post(message_of(an_issue(number=12).closed(bot, NOON), "muted-2")) == 200
    assert notifier.cards("muted-2") == ["C1"]
    [line] = lines_since(notifier.function, before)
    assert (line["outcome"], line["replied"]) == ("posted", False)


def test_an_issue_whose_author_is_no_bot_but_sounds_like_one_is_heard(notifier: Notifier) -> None:
    """The brackets of *[bot] are brackets: bob has his card."""
    assert notifier.post(message_of(an_issue(author=accounts.Account(login="bob")).opened(), "bob")) == 200
    assert notifier.cards("bob") == ["C1"]


def test_the_life_of_an_issue_is_one_card(notifier: Notifier) -> None:
    """Opened, closed, reopened: one card, and a thread that tells what happened."""
    issue = an_issue(number=8, repository=accounts.Repository(full_name="acme/app-59"))
    events = [
        issue.opened(),
        issue.closed(MONA, NOON + timedelta(hours=3)),
        issue.reopened(MONA, NOON + timedelta(hours=4)),
    ]
    before = len(notifier.slack.messages)
    for number, event in enumerate(events):
        assert notifier.post(message_of(event, f"life-{number}")) == 200
    assert [message.text for message in notifier.slack.messages[before:]] == [
        "Open issue: acme/app-59#8 Export fails",
        "mona closed this as completed · 3 hours after opening",
        "mona reopened this",
    ]


def test_an_incoming_webhook_posts_lines_and_nothing_more(notifier: Notifier) -> None:
    """One line for opened, closed and reopened, each once; for all else nothing."""
    notifier.token_file.write_text(notifier.slack.webhook_url)
    issue = an_issue(number=9, labels=["bug"])
    events = [
        issue.opened(),
        issue.labeled(MONA, NOON, "ui"),
        issue.commented(MONA, NOON, "x"),
        issue.closed(MONA, NOON + timedelta(hours=3)),
    ]
    before = len(notifier.slack.requests)
    for number, event in enumerate([*events, *events]):
        assert notifier.post(message_of(event, f"line-{number % 4}")) == 200
    calls = notifier.slack.requests[before:]
    assert [method for method, _ in calls] == ["webhook", "webhook"]
    assert [len(arguments["blocks"]) for _, arguments in calls] == [1, 1]
    assert calls[1][1]["blocks"][0]["text"]["text"] == (
        ":white_check_mark: *acme/app#9* <https://github.com/acme/app/issues/9|Export fails>"
        " · octavia, <!date^1767614400^{date_short_pretty}|2026-01-05> · `bug` `ui`"
        " · closed as completed by mona · 3 hours after opening"
    )


def test_an_incoming_webhook_is_told_of_a_close_unless_every_route_mutes_who_it_was(
    notifier: Notifier,
) -> None:
    """As in the thread of a card, for which it stands."""
    notifier.token_file.write_text(notifier.slack.webhook_url)
    bot = accounts.Account(login="dependabot[bot]", type="Bot")
    before, written = len(notifier.slack.messages), len(notifier.function.output())
    for name in ("app", "bots"):
        issue = an_issue(repository=accounts.Repository(full_name=f"acme/{name}"))
        assert notifier.post(message_of(issue.closed(bot, NOON), f"bot-{name}")) == 200
    assert [message.text for message in notifier.slack.messages[before:]] == [
        "Closed as completed: acme/bots#7 Export fails"
    ]
    silent, _ = lines_since(notifier.function, written)
    assert silent["why"].endswith("closed and reopened unless every route mutes the sender")


def test_a_gzipped_body_is_read(notifier: Notifier) -> None:
    """What ingest packs for its size is unpacked."""
    data = gzip.compress(json.dumps(an_issue().opened().payload).encode())
    assert notifier.post(push(data, attributes("gzip", content_encoding="gzip"))) == 200
    assert notifier.cards("gzip") == ["C1"]


# Slack in trouble


@envelopes
@pytest.mark.parametrize(
    ("fault", "reason", "cause"),
    [
        ({"status": 500}, "slack_internal_error", "SlackApiError"),
        ({"status": 503, "body": "<html>down</html>"}, "slack_http_503", "SlackApiError"),
        ({"drop": True}, "slack_unreachable", "RemoteDisconnected"),
        ({"error": "token_revoked"}, "slack_token_revoked", "install the app again"),
        ({"error": "invalid_auth"}, "slack_invalid_auth", "SlackApiError"),
    ],
)
def test_a_failure_is_a_500_with_its_reason_and_the_next_delivery_mends_it(
    notifier: Notifier, post: Post, fault: dict[str, Any], reason: str, cause: str
) -> None:
    """The message goes back to Pub/Sub; delivered again, it makes its card."""
    delivery_id, before = f"{post.__name__}-{reason}", len(notifier.function.output())
    notifier.slack.fail_next(1, **fault)
    assert notifier.post(opened(delivery_id), post) == 500
    assert notifier.cards(delivery_id) == []
    last = lines_since(notifier.function, before)[-1]
    assert (last["severity"], last["reason"], last["delivery_id"]) == ("ERROR", reason, delivery_id)
    assert cause in last["message"]
    assert notifier.post(opened(delivery_id), post) == 200
    assert notifier.cards(delivery_id) == [channel_of(delivery_id)]


def test_one_refusing_channel_does_not_silence_the_others(notifier: Notifier) -> None:
    """Both channels are tried, then the error rises; delivered again, only the missing card is posted."""
    notifier.slack.fail_next(1, error="is_archived")
    before = len(notifier.function.output())
    assert notifier.post(opened("partly", "acme/both")) == 500
    assert notifier.cards("partly") == ["C2"]
    refused, posted, raised = lines_since(notifier.function, before)
    assert (refused["severity"], refused["channel"], refused["reason"]) == (
        "WARNING",
        "C1",
        "slack_is_archived",
    )
    assert (posted["outcome"], posted["channel"]) == ("posted", "C2")
    assert (raised["severity"], raised["reason"]) == ("ERROR", "slack_is_archived")
    assert notifier.post(opened("partly", "acme/both")) == 200
    assert notifier.cards("partly") == ["C2", "C1"]


def test_of_several_refusals_the_first_is_raised(notifier: Notifier) -> None:
    """Each channel's has its own line; the delivery is counted under that of the first."""
    for code in ("is_archived", "not_in_channel"):
        notifier.slack.fail_next(1, error=code)
    before = len(notifier.function.output())
    assert notifier.post(opened("refused", "acme/both")) == 500
    assert [(line["severity"], line["reason"]) for line in lines_since(notifier.function, before)] == [
        ("WARNING", "slack_is_archived"),
        ("WARNING", "slack_not_in_channel"),
        ("ERROR", "slack_is_archived"),
    ]


def test_an_answer_that_makes_no_sense_does_not_silence_the_others(notifier: Notifier) -> None:
    """An answer that is JSON but no object counts as a refusal of this channel alone."""
    notifier.slack.fail_next(1, status=200, body='["ok"]')
    assert notifier.post(opened("senseless", "acme/both")) == 500
    assert notifier.cards("senseless") == ["C2"]


def test_a_card_that_slack_calls_invalid_is_acknowledged_once_its_text_has_arrived(
    notifier: Notifier,
) -> None:
    """The fallback is told as an error, for somebody to look at; the message is done."""
    notifier.slack.fail_next(1, error="invalid_blocks", method="chat.postMessage")
    before = len(notifier.function.output())
    assert notifier.post(opened("plain")) == 200
    assert notifier.slack.messages[-1].text == (
        f"New issue: {repository_of('plain')}#{number_of('plain')} Export fails"
    )
    assert [(line["severity"], line.get("reason")) for line in lines_since(notifier.function, before)] == [
        ("ERROR", "invalid_blocks"),
        ("INFO", None),
    ]


def test_the_token_rotates_under_a_running_function(notifier: Notifier) -> None:
    """A blank file is a 500 that names the setting; what is stored next is used from the next message on."""
    calls, before = len(notifier.slack.requests), len(notifier.function.output())
    notifier.token_file.write_text("\n")
    assert notifier.post(opened("rotated-1")) == 500
    assert len(notifier.slack.requests) == calls
    [line] = lines_since(notifier.function, before)
    assert line["reason"] == "slack_token_blank"
    assert "SLACK_TOKEN_FILE is empty" in line["message"]
    notifier.token_file.write_text(f"{TOKEN}\nxoxb-second\n")
    assert notifier.post(opened("rotated-1")) == 500
    notifier.token_file.write_text(f"  {TOKEN}\n")
    assert notifier.post(opened("rotated-1")) == 200
    assert notifier.cards("rotated-1") == [channel_of("rotated-1")]
    notifier.token_file.write_text(notifier.slack.webhook_url)
    assert [notifier.post(opened("rotated-2", "acme/both")) for _ in range(2)] == [200, 200]
    assert [message.via for message in notifier.slack.messages[-2:]] == ["api", "webhook"]


# Slack slow, in many channels at once

SIX = [f"C3{number:02}" for number in range(6)]
SHORT = """
from functions.notify_slack import main

main.DELIVERY_SECONDS = 2.5
notify_slack = main.notify_slack
"""


@pytest.fixture
def six(tmp_path: Path) -> Iterator[Notifier]:
    """Return the function with six channels for each delivery, and two and a half seconds for all of them."""
    (tmp_path / "main.py").write_text(SHORT)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "routes.toml").write_text(f'[[route]]\nname = "six"\nchannels = {SIX}\n')
    with SlackServer(channels=dict.fromkeys(SIX, "issues"), token=TOKEN) as slack:
        environment = {
            "SLACK_TOKEN_FILE": str(tmp_path / "token"),
            "SLACK_API_URL": slack.url,
            "ROUTES_FILE": str(tmp_path / "routes.toml"),
        }
        with function("notify_slack", tmp_path, environment, source=tmp_path / "main.py") as up:
            yield Notifier(function=up, slack=slack, token_file=tmp_path / "token")


def test_channels_that_hang_do_not_outlast_the_delivery(six: Notifier) -> None:
    """The first takes the time there is, the others fail at once with a reason; the next delivery goes on."""
    six.slack.fail_until_cleared(hang=60.0)
    assert six.post(opened("slow")) == 500
    reasons = [(line["channel"], line["reason"]) for line in six.function.log_lines() if "channel" in line]
    assert reasons == [(SIX[0], "slack_unreachable"), *((channel, "slack_deadline") for channel in SIX[1:])]
    assert len(six.slack.requests) == 1
    six.slack.clear_faults()
    assert six.post(opened("slow")) == 200
    assert six.cards("slow") == SIX


def test_a_storm_of_429_is_answered_with_silence(six: Notifier) -> None:
    """Forty deliveries in eight threads for six channels: one call is made, and every channel is named."""
    six.slack.fail_until_cleared(status=429, headers={"Retry-After": "30"})
    assert six.post(opened("storm")) == 500
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(six.post, [opened(f"storm-{number}") for number in range(39)])) == {500}
    assert len(six.slack.requests) == 1
    lines = six.function.log_lines()
    refused = [line["channel"] for line in lines if line["message"].startswith("The channel was not updated")]
    assert sorted(refused) == sorted(SIX * 40)
    assert {line["reason"] for line in lines} == {"slack_ratelimited"}


# Messages that break the contract


def broken(**message: Any) -> dict[str, Any]:
    """Return a push body with a good message, but for these fields."""
    body = opened("broken")
    return {**body, "message": {**body["message"], **message}}


def wrapped(data: bytes, **more: str) -> dict[str, Any]:
    """Return a push body with this data."""
    return push(data, attributes("broken", **more))


def without(name: str) -> dict[str, str]:
    """Return attributes that lack one."""
    return {kept: value for kept, value in attributes("broken").items() if kept != name}


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no attributes": (broken(attributes={}), "delivery_id_missing"),
    "null attributes": (broken(attributes=None), "delivery_id_missing"),
    "attributes are a list": (broken(attributes=["issues"]), "attributes_malformed"),
    "no delivery id": (broken(attributes=without("delivery_id")), "delivery_id_missing"),
    "delivery id is a number": (
        broken(attributes={**without("delivery_id"), "delivery_id": 7}),
        "delivery_id_missing",
    ),
    "no event": (broken(attributes=without("event")), "event_missing"),
    "unknown source": (wrapped(b"{}", source="rumour"), "source_unknown"),
    "bad base64": (broken(data="e30"), "data_malformed"),
    "data outside of base64": (broken(data=f"{MARKER}é"), "data_malformed"),
    "data is a number": (broken(data=7), "data_malformed"),
    "data is a list": (broken(data=[MARKER]), "data_malformed"),
    "gzip that is none": (wrapped(MARKER.encode(), content_encoding="gzip"), "gzip_malformed"),
    "gzip cut short": (wrapped(gzip.compress(b"{}")[:-5], content_encoding="gzip"), "gzip_malformed"),
    "gzip bomb": (wrapped(gzip.compress(b" " * 200_000_000, 1), content_encoding="gzip"), "gzip_malformed"),
    "another encoding": (wrapped(b"{}", content_encoding="br"), "encoding_unknown"),
    "empty body": (wrapped(b""), "body_not_json"),
    "body is no JSON": (wrapped(MARKER.encode()), "body_not_json"),
    "body is no UTF-8": (wrapped(b'{"title": "\xff"}'), "body_not_json"),
    "body is deep": (wrapped(b'{"issue":' * 100_000), "body_not_json"),
    "body is a deep list": (wrapped(b"[" * 100_000 + b"]" * 100_000), "body_not_json"),
    "body has an endless number": (wrapped(b'{"n":' + b"9" * 5_000 + b"}"), "body_not_json"),
    "body is a list": (wrapped(b"[]"), "body_not_object"),
    "body is a text": (wrapped(json.dumps(MARKER).encode()), "body_not_object"),
    "body is null": (wrapped(b"null"), "body_not_object"),
}


@envelopes
@pytest.mark.parametrize("kind", BROKEN)
def test_a_message_that_breaks_the_contract_is_a_500_and_one_line(
    notifier: Notifier, post: Post, kind: str
) -> None:
    """It goes to the dead letters, its reason to the log: once, and with nothing of the message before it."""
    body, reason = BROKEN[kind]
    notifier.post(opened("before"))
    before, cards = len(notifier.function.output()), len(notifier.slack.messages)
    assert notifier.post(body, post) == 500
    [line] = lines_since(notifier.function, before)
    assert (line["severity"], line["reason"]) == ("ERROR", reason)
    named = body["message"].get("attributes")
    claims = named.get("delivery_id") if isinstance(named, dict) else None
    assert line["message_id"] == "1001"
    assert line.get("delivery_id") == (claims if isinstance(claims, str) else None)
    assert "issue" not in line
    assert len(notifier.slack.messages) == cards


@pytest.mark.parametrize("message", [None, [], ["x"], "x", 7, {}])
def test_an_event_without_a_message_is_a_500(notifier: Notifier, message: Any) -> None:
    """A CloudEvent of another shape is refused with its reason."""
    before = len(notifier.function.output())
    headers = {"ce-id": "1", "ce-source": "//x", "ce-type": "y", "ce-specversion": "1.0"}
    for body in ({"message": message, "subscription": "s"}, {"subscription": "s"}):
        answer = requests.post(notifier.function.url, json=body, headers=headers, timeout=30)
        assert answer.status_code == 500
    reasons = [line["reason"] for line in lines_since(notifier.function, before)]
    assert reasons == ["delivery_id_missing" if message == {} else "message_missing", "message_missing"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        MARKER.encode(),
        b"[]",
        b'"x"',
        b"null",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"message":{},"subscription":"s"}',
    ],
)
def test_a_push_that_the_framework_cannot_read_is_never_acknowledged(notifier: Notifier, body: bytes) -> None:
    """No such push comes from Pub/Sub; the framework refuses it before the function is asked."""
    headers = {"Content-Type": "application/json"}
    answer = requests.post(notifier.function.url + TOPIC_PATH, data=body, headers=headers, timeout=30)
    assert 400 <= answer.status_code <= 500


def test_deliveries_at_the_same_time_keep_their_log_lines_apart(notifier: Notifier) -> None:
    """Thirty different deliveries in eight threads: each line names its own delivery and its own issue."""
    before = len(notifier.function.output())
    bodies = [
        message_of(
            an_issue(
                number=number, title=f"t{number}", repository=accounts.Repository(full_name=name)
            ).opened(),
            f"apart-{number}",
        )
        for number, name in zip(range(100, 130), QUIET, strict=False)
    ]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(notifier.post, bodies)) == [200] * 30
    lines = lines_since(notifier.function, before)
    assert sorted(line["issue"] for line in lines) == list(range(100, 130))
    assert all(line["delivery_id"] == f"apart-{line['issue']}" for line in lines)
    posted = {message.ts: message.text for message in notifier.slack.messages}
    assert all(posted[line["ts"]].endswith(f"t{line['issue']}") for line in lines)


# Other starts


def test_the_settings_of_a_start_count(tmp_path: Path) -> None:
    """GITHUB_URL is in every link, that of an incoming webhook's line too; fold_over is the routes file's."""
    (tmp_path / "routes.toml").write_text(f"[defaults]\nfold_over = 1\n{ROUTES}")
    (tmp_path / "token").write_text(TOKEN)
    with SlackServer(channels=dict.fromkeys(["C1", *QUIET.values()], "issues"), token=TOKEN) as slack:
        environment = {
            "GITHUB_URL": "https://github.acme.example",
            "SLACK_TOKEN_FILE": str(tmp_path / "token"),
            "SLACK_API_URL": slack.url,
            "ROUTES_FILE": str(tmp_path / "routes.toml"),
        }
        with function("notify_slack", tmp_path, environment) as up:
            for number in range(2):
                assert post_raw(up.url, opened(f"here-{number}", "acme/app")).status_code == 200
            (tmp_path / "token").write_text(slack.webhook_url)
            assert post_raw(up.url, opened("here-2", "acme/app")).status_code == 200
    assert [message.text.split(":")[0] for message in slack.messages] == [
        "New issue",
        "1 more issue at once",
        "New issue",
    ]
    assert all("<https://github.acme.example/acme/app/" in str(message.blocks) for message in slack.messages)


def test_a_delivery_is_given_up_before_cloud_run_ends_it() -> None:
    """Its last call may take its timeout thrice over: to connect, for the handshake and for the answer."""
    main = (ROOT / "functions" / "notify_slack" / "main.py").read_text()
    [seconds] = re.findall(r"^DELIVERY_SECONDS = ([0-9.]+)$", main, re.MULTILINE)
    deployed = (ROOT / "deploy" / "functions" / "notify_slack.sh").read_text()
    [ends] = re.findall(r"--timeout=([0-9]+)s", deployed)
    assert float(seconds) + 3 * TIMEOUT_SECONDS <= float(ends)


def test_every_wrong_setting_is_told_at_start_and_events_are_refused(tmp_path: Path) -> None:
    """One line names the problems of environment and routes; every event is answered with 500."""
    routes = tmp_path / "routes.toml"
    routes.write_text('[[route]]\nname = "bugs"\nchannel = "C1"\n')
    environment = {
        "SLACK_TOKEN": "xoxb-one xoxb-two",
        "GITHUB_URL": "github",
        "ROUTES_FILE": str(routes),
    }
    with function("notify_slack", tmp_path, environment) as up:
        [line] = [json.loads(text) for text in up.output().splitlines()]
        assert (line["severity"], line["reason"]) == ("CRITICAL", "configuration")
        for part in (
            "SLACK_TOKEN ",
            "GITHUB_URL ",
            "route 1 ('bugs'): unknown key 'channel'",
            "('bugs'): channels must be",
        ):
            assert part in line["message"]
        before = len(up.output())
        for post in (post_raw, post_cloud_event):
            assert post(up.url, opened("x")).status_code == 500
        assert [(line["severity"], line["reason"]) for line in lines_since(up, before)] == [
            ("ERROR", "configuration")
        ] * 2
        assert "xoxb" not in up.output()


def test_a_missing_routes_file_and_a_missing_token_are_told_together(tmp_path: Path) -> None:
    """A function deployed without its routes says so, and refuses events rather than losing them."""
    with function("notify_slack", tmp_path, {"ROUTES_FILE": str(tmp_path / "none.toml")}) as up:
        [line] = [json.loads(text) for text in up.output().splitlines()]
        assert "SLACK_TOKEN_FILE or SLACK_TOKEN is not set" in line["message"]
        assert f"ROUTES_FILE cannot be read (FileNotFoundError: {tmp_path / 'none.toml'})" in line["message"]
        assert post_raw(up.url, opened("x")).status_code == 500


def test_lines_stay_json_when_the_framework_adds_its_execution_id(tmp_path: Path) -> None:
    """With LOG_EXECUTION_ID=true each record is one line still, with the framework's label beside ours."""
    routes = tmp_path / "routes.toml"
    routes.write_text(ROUTES)
    with SlackServer(channels=dict.fromkeys(QUIET.values(), "issues"), token=TOKEN) as slack:
        environment = {
            "LOG_EXECUTION_ID": "true",
            "SLACK_TOKEN": TOKEN,
            "SLACK_API_URL": slack.url,
            "ROUTES_FILE": str(routes),
        }
        with function("notify_slack", tmp_path, environment) as up:
            for post in (post_raw, post_cloud_event):
                assert post(up.url, opened(post.__name__)).status_code == 200
                assert post(up.url, wrapped(MARKER.encode())).status_code == 500
            lines = [json.loads(text) for text in up.output().splitlines()]
            assert TOKEN not in up.output()
            assert MARKER not in up.output()
    assert [(line["severity"], line.get("reason"), line["delivery_id"]) for line in lines] == [
        ("INFO", None, "post_raw"),
        ("ERROR", "body_not_json", "broken"),
        ("INFO", None, "post_cloud_event"),
        ("ERROR", "body_not_json", "broken"),
    ]
    ids = [
        line["logging.googleapis.com/labels"]["execution_id"] for line in lines if line["severity"] == "INFO"
    ]
    assert len(set(ids)) == 2


def test_markers_of_the_tests_are_what_they_claim() -> None:
    """The body that no log may hold is in the messages that are sent."""
    assert MARKER.encode() in base64.b64decode(opened("x")["message"]["data"])
