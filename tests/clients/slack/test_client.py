"""Slack's edge, with Slack's own client against the strict stand-in: what is sent, and what refusals mean."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.slack import client as slack
from clients.slack import deadline
from clients.slack.blocks import Message
from clients.slack.client import Slack
from clients.slack.rate_limit import BURST
from functions.notify_slack.cards import card
from functions.notify_slack.routing.routes import Hearing
from local.processes import free_port
from local.slack.message import Message as Kept
from local.slack.server import SlackServer
from pipeline.delivery import Delivery
from pipeline.errors import Unavailable
from pipeline.events import IssueEvent
from pipeline.settings import RotatingToken
from tests.support.clock import FakeClock
from tests.support.messages import NOON, an_issue

TOKEN = "xoxb-local"
CHANNEL = "C0123456789"
OTHER = "C5"


class Workspace:
    """The stand-in as one test sees it: what came before is out of sight."""

    def __init__(self, server: SlackServer) -> None:
        self.url, self.console_url, self.webhook_url = server.url, server.console_url, server.webhook_url
        self.fail_next, self.fail_until_cleared = server.fail_next, server.fail_until_cleared
        self._server = server
        self._before = len(server.messages), len(server.requests)

    @property
    def messages(self) -> list[Kept]:
        """Return what was kept."""
        return self._server.messages[self._before[0] :]

    @property
    def requests(self) -> list[tuple[str, dict[str, Any]]]:
        """Return every call."""
        return self._server.requests[self._before[1] :]


@pytest.fixture(scope="module")
def running() -> Iterator[SlackServer]:
    """Return the workspace that all tests share."""
    channels = {CHANNEL: "issues", "C2": "closed", "C3": "not a member", "C4": "restricted", OTHER: "other"}
    closed = {"archived": ["C2"], "not_member": ["C3"], "restricted": ["C4"]}
    with SlackServer(channels=channels, token=TOKEN, **closed) as server:
        yield server


@pytest.fixture
def server(running: SlackServer) -> Iterator[Workspace]:
    """Return the workspace, healthy and as if empty, an hour after the last test."""
    running.clear_faults()
    _clock.sleep(3600)
    _clock.sleeps.clear()
    yield Workspace(running)
    running.clear_faults()


_clock = FakeClock()


@pytest.fixture
def waits() -> list[float]:
    """Return the seconds that the edge asked to sleep."""
    return _clock.sleeps


@pytest.fixture(scope="module")
def edge(running: SlackServer) -> Slack:
    """Return the edge with a bot token."""
    return Slack(lambda: TOKEN, running.url, _clock, _clock.sleep)


@pytest.fixture(scope="module")
def hook(running: SlackServer) -> Slack:
    """Return the edge with an incoming webhook."""
    return Slack(lambda: running.webhook_url, None, _clock, _clock.sleep)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def a_card(**changes: Any) -> Message:
    """Return the card of an opened issue."""
    payload = an_issue(**changes).opened().payload
    event = IssueEvent.from_delivery(
        Delivery(delivery_id="d-1", event="issues", body=json.dumps(payload).encode(), received_at=NOON)
    )
    assert event.issue is not None
    return card.build(event, event.issue, Hearing(channel="C1"), "https://github.com")


def refused(call: Callable[[], object]) -> Unavailable:
    """Return the error that the call must end in; its token is in no text of the whole chain."""
    with pytest.raises(Unavailable) as caught:
        call()
    error: BaseException | None = caught.value
    while error is not None:
        assert TOKEN not in f"{error}{error!r}"
        assert "xoxb-o" not in f"{error}{error!r}"
        assert "services/T" not in f"{error}{error!r}"
        error = error.__cause__ or error.__context__
    return caught.value


# It arrives.


def test_a_card_arrives_as_it_was_made(server: Workspace, edge: Slack) -> None:
    """Blocks, fallback text and metadata arrive; nothing is unfolded; the timestamp comes back."""
    made = a_card()
    timestamp = edge.post(CHANNEL, made)
    [message] = server.messages
    assert message.ts == timestamp
    assert message.text == made.text
    assert list(message.blocks) == list(made.blocks)
    assert message.metadata == made.metadata
    [(method, arguments)] = server.requests
    assert method == "chat.postMessage"
    assert arguments["channel"] == CHANNEL
    assert arguments["unfurl_links"] is False
    assert arguments["unfurl_media"] is False


@pytest.mark.parametrize(
    "title",
    [
        "<!channel> &amp; <https://evil.example|x> | \u202e\u200b",
        "<" * 300_000,
        "👩\u200d💻" * 500,
        "\ud800\0",
        "",
    ],
)
def test_the_strict_stand_in_takes_hostile_titles_too(server: Workspace, edge: Slack, title: str) -> None:
    """What reaches Slack through its own client is what the rules allow, the first time."""
    edge.post(CHANNEL, a_card(title=title))
    assert len(server.requests) == len(server.messages) == 1


# Too fast.


def test_posts_into_one_channel_start_a_second_apart(
    server: Workspace, edge: Slack, waits: list[float]
) -> None:
    """Ten may pass at once; then one a second, cards and replies alike. Nothing else is held up by them."""
    parent = edge.post(CHANNEL, a_card())
    for _ in range(BURST + 1):
        edge.post(CHANNEL, a_card(), thread_ts=parent)
    assert waits == [1, 1]
    edge.update(CHANNEL, parent, a_card())
    list(edge.history(CHANNEL, ALL, 1))
    list(edge.replies(CHANNEL, parent, ALL, 1))
    edge.delete(CHANNEL, parent)
    edge.post(OTHER, a_card())
    assert waits == [1, 1]
    assert len(server.requests) == BURST + 7


@pytest.mark.parametrize(("asked", "waited"), [("1", 1), ("3", 3), ("10", 10), ("0007", 7)])
def test_a_short_pause_is_waited_for_to_its_end(
    server: Workspace, edge: Slack, waits: list[float], asked: str, waited: int
) -> None:
    """Nothing is sent before the seconds that Slack asks for have passed; one card is posted."""
    server.fail_next(2, status=429, headers={"Retry-After": asked})
    edge.post(CHANNEL, a_card())
    assert waits == [waited, waited]
    assert len(server.messages) == 1
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        *(
            {"Retry-After": text}
            for text in ("", "0", "-1", "soon", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 5000, "²")
        ),
    ],
)
def test_a_rate_limit_without_a_usable_pause_waits_a_second(
    server: Workspace, edge: Slack, waits: list[float], headers: dict[str, str]
) -> None:
    """A header that is missing or makes no sense is no reason to lose the card, nor to hurry."""
    server.fail_next(1, status=429, headers=headers)
    edge.post(CHANNEL, a_card())
    assert waits == [1]
    assert len(server.messages) == 1


def test_a_long_pause_is_not_waited_for_but_kept(server: Workspace, edge: Slack, waits: list[float]) -> None:
    """The delivery goes back at once, saying how long; until then no other one calls; then posts pass."""
    server.fail_next(1, status=429, headers={"Retry-After": "30"})
    error = refused(lambda: edge.post(CHANNEL, a_card()))
    assert error.reason == "slack_ratelimited"
    assert "another 30 s" in str(error)
    _clock.sleep(19)
    assert "another 11 s" in str(refused(lambda: edge.post(CHANNEL, a_card())))
    assert len(server.requests) == 1
    edge.post(OTHER, a_card())
    edge.update(OTHER, server.messages[0].ts, a_card())
    _clock.sleep(1)
    waits.clear()
    edge.post(CHANNEL, a_card())
    assert waits == [10]


def test_a_pause_counts_for_a_method_in_all_channels_unless_it_posts(
    server: Workspace, edge: Slack, waits: list[float]
) -> None:
    """Slack counts what reads and changes per workspace, posts per channel too."""
    server.fail_next(1, status=429, headers={"Retry-After": "60"}, method="conversations.history")
    for channel in (CHANNEL, OTHER):
        error = refused(lambda channel=channel: list(edge.history(channel, ALL, 1)))
        assert error.reason == "slack_ratelimited"
        assert "takes no conversations.history for another 60 s" in str(error)
    assert len(server.requests) == 1
    edge.delete(CHANNEL, edge.post(CHANNEL, a_card()))
    assert waits == []


@pytest.mark.parametrize("asked", ["99999999", "601"])
def test_no_pause_is_kept_for_longer_than_ten_minutes(server: Workspace, edge: Slack, asked: str) -> None:
    """What Slack cannot mean does not silence a channel until the process ends."""
    server.fail_next(1, status=429, headers={"Retry-After": asked})
    assert "another 600 s" in str(refused(lambda: edge.post(CHANNEL, a_card())))
    _clock.sleep(600)
    edge.post(CHANNEL, a_card())
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"error": "ratelimited", "headers": {"Retry-After": "4"}},
        {"error": "rate_limited", "headers": {"retry-after": "4"}},
        {"status": 429, "headers": {"RETRY-AFTER": "4"}, "body": "<html>slow down</html>"},
        {"status": 429, "headers": {"Retry-After": "4"}, "body": "[]"},
        {"status": 429, "headers": {"Retry-After": "4"}, "body": ""},
    ],
    ids=str,
)
def test_a_rate_limit_in_any_form_is_one(
    server: Workspace, edge: Slack, waits: list[float], fault: dict[str, Any]
) -> None:
    """By its status, whatever the body, or by its code."""
    server.fail_next(1, **fault)
    edge.post(CHANNEL, a_card())
    assert waits == [4]


def test_a_rate_limit_without_end_is_raised(server: Workspace, edge: Slack, waits: list[float]) -> None:
    """After two more attempts the card goes back to Pub/Sub, and the next one keeps the last pause too."""
    server.fail_until_cleared(status=429, headers={"Retry-After": "7"})
    error = refused(lambda: edge.post(CHANNEL, a_card()))
    assert error.reason == "slack_ratelimited"
    assert "no more for 7 s" in str(error)
    assert waits == [7, 7]
    with deadline.limit(5, _clock):
        assert "another 7 s" in str(refused(lambda: edge.post(CHANNEL, a_card())))
    assert len(server.requests) == 3
    assert server.messages == []


def test_an_edge_that_keeps_the_pace_is_never_limited() -> None:
    """Slack's own count of a burst and one a second agrees with ours, over many posts in two channels."""
    clock = FakeClock()
    channels = {CHANNEL: "issues", OTHER: "other"}
    with SlackServer(channels=channels, token=TOKEN, burst=BURST, clock=clock) as server:
        edge = Slack(lambda: TOKEN, server.url, clock, clock.sleep)
        for number in range(4 * BURST):
            edge.post(CHANNEL if number % 3 else OTHER, a_card())
        assert len(server.requests) == len(server.messages) == 4 * BURST


def test_instances_that_overlap_are_limited_and_keep_each_pause() -> None:
    """Slack limits two revisions at work at once: none calls during a pause, and no card is lost."""
    clock = FakeClock()
    with SlackServer(channels={CHANNEL: "issues"}, token=TOKEN, burst=BURST, clock=clock) as server:
        edges = [Slack(lambda: TOKEN, server.url, clock, clock.sleep) for _ in range(2)]
        for number in range(4 * BURST):
            edges[number % 2].post(CHANNEL, a_card())
        assert len(server.requests) > len(server.messages) == 4 * BURST
        assert server.over_limit == []


# Too late.


def test_a_call_that_cannot_end_in_time_is_not_begun(server: Workspace, edge: Slack) -> None:
    """With less than a second left nothing is sent, and the error says why."""
    with deadline.limit(0.9, _clock):
        error = refused(lambda: edge.post(CHANNEL, a_card()))
        assert error.reason == "slack_deadline"
        assert "No time is left" in str(error)
        assert refused(lambda: list(edge.history(CHANNEL, ALL, 1))).reason == "slack_deadline"
    assert server.requests == []
    edge.post(CHANNEL, a_card())


def test_a_wait_that_does_not_fit_is_not_begun(server: Workspace, edge: Slack, waits: list[float]) -> None:
    """Neither for the channel's next second nor for Slack's pause: the thread is free for others."""
    for _ in range(BURST):
        edge.post(CHANNEL, a_card())
    with deadline.limit(1.9, _clock):
        error = refused(lambda: edge.post(CHANNEL, a_card()))
    assert error.reason == "slack_busy"
    assert len(server.requests) == BURST
    server.fail_next(1, status=429, headers={"Retry-After": "9"}, method="chat.update")
    with deadline.limit(9.5, _clock):
        error = refused(lambda: edge.update(CHANNEL, server.messages[0].ts, a_card()))
    assert error.reason == "slack_ratelimited"
    assert waits == []


@pytest.mark.parametrize("form", ["edge", "hook"])
def test_a_slow_slack_takes_no_more_than_what_is_left(
    server: Workspace, request: pytest.FixtureRequest, form: str
) -> None:
    """The timeout of a call shrinks with the time of its delivery: an answer after three seconds is late."""
    slow: Slack = request.getfixturevalue(form)
    server.fail_next(1, hang=3.0, after=True)
    with deadline.limit(1.0, _clock):
        assert refused(lambda: slow.post(CHANNEL, a_card())).reason == "slack_unreachable"
    assert len(server.messages) == 1


# No answer, or none that confirms.

LOST: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 503, "body": "<html>xyz</html>"},
    {"status": 502, "body": ""},
    {"status": 200, "body": "<html>a captive portal</html>"},
    {"status": 200, "body": ""},
    {"status": 200, "body": "[]"},
    {"status": 200, "body": '["ok"]'},
    {"status": 200, "body": '"ok"'},
    {"status": 200, "body": "null"},
    {"status": 200, "body": "{}"},
    {"status": 200, "body": '{"ok": tru'},
    {"status": 200, "body": '{"ok":' + "[" * 2000},
    {"status": 404, "body": "not here"},
    {"drop": True},
    {"drop": True, "after": True},
    {"hang": 30.0},
    {"hang": 30.0, "after": True},
    {"half": True, "after": True},
    {"half": True, "status": 500},
]


@pytest.mark.parametrize("fault", LOST, ids=str)
def test_a_post_without_a_confirmation_is_raised_and_never_sent_again(
    server: Workspace, edge: Slack, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    """A lost answer may hide a success: exactly one request is made, and Pub/Sub decides about the next."""
    monkeypatch.setattr(slack, "TIMEOUT_SECONDS", 0.3 if "hang" in fault else 5)
    server.fail_next(1, **fault)
    assert refused(lambda: edge.post(CHANNEL, a_card())).reason.startswith("slack_")
    assert len(server.requests) == 1
    assert len(server.messages) == (1 if fault.get("after") else 0)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html; charset=latin-1",
        "text/html; charset=ascii",
        "text/html; charset=nonsense",
        "application/gzip",
    ],
)
def test_an_answer_in_another_tongue_is_raised(edge: Slack, server: Workspace, content_type: str) -> None:
    """A charset that Python does not know, and bytes that are no text, are no confirmation."""
    server.fail_next(1, status=200, body="\u00ff\u00fe nonsense", headers={"Content-Type": content_type})
    assert refused(lambda: edge.post(CHANNEL, a_card())).reason.startswith("slack_")
    assert len(server.requests) == 1


def test_nobody_listens() -> None:
    """A refused connection is raised."""
    edge = Slack(lambda: TOKEN, f"http://127.0.0.1:{free_port()}/api/")
    assert refused(lambda: edge.post(CHANNEL, a_card())).reason == "slack_unreachable"


def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing name service is raised; it is asked in vain here, so that no packet leaves the machine."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    edge = Slack(lambda: TOKEN, "https://slack.example/api/")
    assert refused(lambda: edge.post(CHANNEL, a_card())).reason == "slack_unreachable"


def test_a_server_that_speaks_no_tls(server: Workspace) -> None:
    """A failed handshake is raised."""
    edge = Slack(lambda: TOKEN, server.url.replace("http:", "https:"))
    error = refused(lambda: edge.post(CHANNEL, a_card()))
    assert error.reason == "slack_unreachable"
    assert isinstance(getattr(error.__cause__, "reason", None), ssl.SSLError)
    assert server.requests == []


# Refusals.


@pytest.mark.parametrize(
    "code",
    [
        *("block_mismatch", "invalid_arguments", "invalid_attachments", "invalid_blocks"),
        *("invalid_blocks_format", "invalid_payload", "msg_blocks_too_long", "msg_too_long", "no_text"),
    ],
)
def test_a_card_that_slack_calls_invalid_arrives_as_its_text(
    server: Workspace, edge: Slack, code: str
) -> None:
    """The news is worth more than its form: the text goes out once more; it can still be found again."""
    server.fail_next(1, error=code)
    edge.post(CHANNEL, a_card())
    [message] = server.messages
    assert message.text == "New issue: acme/app#7 Export fails"
    assert message.blocks == ()
    assert message.metadata == a_card().metadata
    assert "unfurl_links" in server.requests[1][1]
    assert len(server.requests) == 2


def test_a_text_that_is_refused_too_is_raised(server: Workspace, edge: Slack) -> None:
    """The second refusal ends it."""
    server.fail_next(2, error="invalid_blocks")
    assert refused(lambda: edge.post(CHANNEL, a_card())).reason == "slack_invalid_blocks"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("account_inactive", "install it again"),
        ("channel_not_found", "check the channel's id in routes.toml"),
        ("invalid_auth", "store the bot token again"),
        ("is_archived", "unarchive the channel"),
        ("missing_scope", "install the app again from config/slack-app.yaml"),
        ("not_allowed_token_type", "store a bot token"),
        ("not_authed", "store the bot token"),
        ("not_in_channel", "invite the app"),
        ("restricted_action", "ask an administrator"),
        ("token_expired", "store a fresh token"),
        ("token_revoked", "install the app again"),
        ("never_heard_of", "docs.slack.dev"),
        ("fatal_error", "tried again"),
    ],
)
def test_every_other_refusal_is_raised_with_its_fix(
    server: Workspace, edge: Slack, code: str, fix: str
) -> None:
    """The error says what Slack said and what the operator does about it; nothing is sent a second time."""
    server.fail_next(1, error=code)
    error = refused(lambda: edge.post(CHANNEL, a_card()))
    assert error.reason == f"slack_{code}"
    assert code in str(error)
    assert fix in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("channel", "reason"),
    [
        ("C2", "is_archived"),
        ("C3", "not_in_channel"),
        ("C4", "restricted_action"),
        ("C9", "channel_not_found"),
    ],
)
def test_a_channel_that_cannot_be_posted_to(
    server: Workspace, edge: Slack, channel: str, reason: str
) -> None:
    """The stand-in refuses as Slack does, and the refusal is raised."""
    assert refused(lambda: edge.post(channel, a_card())).reason == f"slack_{reason}"
    assert server.messages == []


@pytest.mark.parametrize("code", ["<script>", "x" * 300, "a b", "", 7, None, ["x"], {"a": 1}])
def test_an_error_that_is_no_code_is_called_by_its_status(server: Workspace, edge: Slack, code: Any) -> None:
    """Only a plain code becomes a reason that is counted."""
    server.fail_next(1, status=200, body=json.dumps({"ok": False, "error": code}))
    assert refused(lambda: edge.post(CHANNEL, a_card())).reason == "slack_http_200"


@pytest.mark.parametrize("code", ["invalid_metadata_format", "invalid_metadata_schema", "metadata_too_large"])
def test_a_card_is_never_posted_without_its_metadata(server: Workspace, edge: Slack, code: str) -> None:
    """It could not be found again, and each event would post one more."""
    server.fail_next(1, error=code)
    assert refused(lambda: edge.post(CHANNEL, a_card())).reason == f"slack_{code}"
    assert server.messages == []


# Change, remove, read.

ALL = slack.TimeRange(oldest="0", latest="9999999999")


def test_a_card_is_changed_and_removed(server: Workspace, edge: Slack) -> None:
    """An update takes blocks, text and metadata; a removal of what is gone already is one."""
    timestamp = edge.post(CHANNEL, a_card())
    edge.update(CHANNEL, timestamp, a_card(title="Import fails"))
    [message] = server.messages
    assert message.text == "New issue: acme/app#7 Import fails"
    server.fail_next(1, error="invalid_blocks", method="chat.update")
    edge.update(CHANNEL, timestamp, a_card(title="Text alone"))
    assert [(kept.text[-10:], kept.blocks) for kept in server.messages] == [("Text alone", ())]
    assert server.messages[0].metadata == a_card().metadata
    edge.delete(CHANNEL, timestamp)
    edge.delete(CHANNEL, timestamp)
    assert server.messages == []
    assert refused(lambda: edge.update(CHANNEL, timestamp, a_card())).reason == "slack_message_not_found"


def test_a_reply_whose_card_is_gone_is_taken_back(server: Workspace, edge: Slack) -> None:
    """Slack posts it to the channel itself and calls that ok; nobody is to read it there."""
    timestamp = edge.post(CHANNEL, a_card())
    edge.delete(CHANNEL, timestamp)
    error = refused(lambda: edge.post(CHANNEL, a_card(), thread_ts=timestamp))
    assert error.reason == "slack_thread_not_found"
    assert "the next delivery posts it again" in str(error)
    assert server.messages == []


def test_a_reply_whose_answer_shows_no_message_is_posted(server: Workspace, edge: Slack) -> None:
    """It is taken back only where Slack says that it is in no thread."""
    server.fail_next(1, body='{"ok": true, "ts": "1764000000.000001"}', status=200)
    assert edge.post(CHANNEL, a_card(), thread_ts="1764000000.000000") == "1764000000.000001"
    assert len(server.requests) == 1


@pytest.mark.parametrize("end", ["", "/"])
def test_the_api_is_found_however_its_address_ends(server: Workspace, end: str) -> None:
    """SLACK_API_URL takes a slash at its end, or none."""
    Slack(lambda: TOKEN, server.url.rstrip("/") + end).post(CHANNEL, a_card())
    assert len(server.messages) == 1


def test_a_message_that_cannot_be_removed_is_told(server: Workspace, edge: Slack) -> None:
    """Only what is gone already counts as removed."""
    timestamp = edge.post(CHANNEL, a_card())
    server.fail_next(1, error="cant_delete_message", method="chat.delete")
    assert refused(lambda: edge.delete(CHANNEL, timestamp)).reason == "slack_cant_delete_message"
    assert len(server.messages) == 1


@pytest.mark.parametrize("answer", ['{"ok": true}', '{"ok": true, "ts": null}', '{"ok": true, "ts": "now"}'])
def test_a_post_without_a_timestamp_is_not_confirmed(server: Workspace, edge: Slack, answer: str) -> None:
    """What is posted could not be found again by it."""
    server.fail_next(1, status=200, body=answer)
    assert refused(lambda: edge.post(CHANNEL, a_card())).reason == "slack_unreachable"


def test_history_and_replies_are_read_in_pages(
    server: Workspace, edge: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newest first and oldest first, with metadata, no more pages than asked for."""
    monkeypatch.setattr(slack, "PAGE", 2)
    parent = edge.post(CHANNEL, a_card())
    stamps = [edge.post(CHANNEL, a_card(), thread_ts=parent) for _ in range(3)]
    latest = [edge.post(CHANNEL, a_card()) for _ in range(3)]
    time_range = slack.TimeRange(oldest=parent, latest=latest[-1])
    pages = list(edge.history(CHANNEL, time_range, 5))
    assert [[message["ts"] for message in page] for page in pages] == [
        [latest[2], latest[1]],
        [latest[0], parent],
    ]
    assert pages[1][1]["metadata"] == a_card().metadata
    assert len(list(edge.history(CHANNEL, time_range, 1))) == 1
    thread = [message["ts"] for page in edge.replies(CHANNEL, parent, ALL, 5) for message in page]
    assert thread == [parent, *stamps]
    arguments = server.requests[-1][1]
    assert {"oldest", "latest", "inclusive", "limit"} <= arguments.keys()


@pytest.mark.parametrize("answer", ["[]", "null", '{"ok": true}', '{"ok": true, "messages": 7}'])
def test_a_history_without_messages_is_raised(server: Workspace, edge: Slack, answer: str) -> None:
    """An answer that makes no sense is not an empty channel."""
    server.fail_next(1, status=200, body=answer)
    assert refused(lambda: list(edge.history(CHANNEL, ALL, 1))).reason.startswith("slack_")


@pytest.mark.parametrize("ts", [None, 7, "", "nan", "1e99", "-1.000000", "99999999999999.000000"])
def test_a_message_without_a_timestamp_is_passed_over(server: Workspace, edge: Slack, ts: Any) -> None:
    """It could not be sorted, changed or removed; those beside it are read."""
    named = {"ts": "1767614400.000001"}
    answer = {"ok": True, "messages": [named, {"ts": ts}, {}, "no message"]}
    server.fail_next(1, status=200, body=json.dumps(answer))
    assert list(edge.history(CHANNEL, ALL, 1)) == [[named]]


@pytest.mark.parametrize(
    "more", [{}, {"response_metadata": None}, {"response_metadata": {"next_cursor": None}}]
)
def test_a_page_that_names_no_next_one_is_the_last(
    server: Workspace, edge: Slack, more: dict[str, Any]
) -> None:
    """However Slack writes that there is none."""
    server.fail_next(1, status=200, body=json.dumps({"ok": True, "messages": [], **more}))
    assert list(edge.history(CHANNEL, ALL, 5)) == [[]]
    assert len(server.requests) == 1


def test_what_reads_is_asked_as_a_form_for_as_much_as_there_is_at_once(
    server: Workspace, edge: Slack
) -> None:
    """Slack promises to take JSON for methods that write alone; a page has 999 messages at most."""
    parent = edge.post(CHANNEL, a_card())
    list(edge.history(CHANNEL, ALL, 1))
    list(edge.replies(CHANNEL, parent, ALL, 1))
    assert [arguments["limit"] for _, arguments in server.requests[1:]] == ["999", "999"]


def test_a_missing_scope_is_named() -> None:
    """The error says which scope, and what gives it."""
    with SlackServer(channels={CHANNEL: "issues"}, token=TOKEN, scopes={"chat:write"}) as server:
        edge = Slack(lambda: TOKEN, server.url)
        error = refused(lambda: list(edge.history(CHANNEL, ALL, 1)))
    assert error.reason == "slack_missing_scope"
    assert "lacks the scope channels:history" in str(error)
    assert "config/slack-app.yaml" in str(error)


# Incoming webhooks.


def test_an_incoming_webhook_posts_without_metadata(server: Workspace, hook: Slack) -> None:
    """A webhook takes the same card; it has one channel of its own and keeps no index."""
    assert hook.posts_to_webhook()
    assert hook.post("webhook", a_card()) == ""
    [message] = server.messages
    assert (message.channel, message.via, message.metadata) == (CHANNEL, "webhook", None)
    assert len(message.blocks) == 1
    assert server.requests[0][1]["unfurl_links"] is False


def test_a_bot_token_is_no_webhook(edge: Slack) -> None:
    """What begins with http is a webhook, anything else a token."""
    assert not edge.posts_to_webhook()
    assert Slack(lambda: "HTTPS://hooks.slack.com/services/T/B/x", None).posts_to_webhook()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"error": "no_service"}, "slack_no_service"),
        ({"status": 404, "body": "no_service\n"}, "slack_no_service"),
        ({"error": "channel_is_archived"}, "slack_channel_is_archived"),
        ({"error": "invalid_token"}, "slack_invalid_token"),
        ({"status": 500, "body": "rollup_error"}, "slack_rollup_error"),
        ({"status": 503, "body": "<html>"}, "slack_http_503"),
        ({"status": 200, "body": "<html>a captive portal</html>"}, "slack_http_200"),
        ({"status": 500, "body": "ok"}, "slack_ok"),
        ({"drop": True}, "slack_unreachable"),
        ({"drop": True, "after": True}, "slack_unreachable"),
    ],
)
def test_a_webhook_that_does_not_confirm_is_raised(
    server: Workspace, hook: Slack, fault: dict[str, Any], reason: str
) -> None:
    """Webhooks tell errors by status and plain text; a lost answer is not sent again either."""
    server.fail_next(1, **fault)
    assert refused(lambda: hook.post("webhook", a_card())).reason == reason
    assert len(server.requests) == 1


def test_a_webhook_is_rate_limited_and_falls_back_like_the_api(
    server: Workspace, hook: Slack, waits: list[float]
) -> None:
    """The pause and the text without blocks work for webhooks too; after a pause posts pass one by one."""
    server.fail_next(1, status=429, headers={"Retry-After": "2"})
    server.fail_next(1, status=400, body="invalid_blocks")
    hook.post("webhook", a_card())
    assert waits == [2, 1]
    assert [(message.blocks, message.text) for message in server.messages] == [
        ((), "New issue: acme/app#7 Export fails")
    ]


def test_a_webhook_may_end_its_line(server: Workspace, hook: Slack) -> None:
    """A proxy may add a newline to the ok; the message has arrived all the same."""
    server.fail_next(1, status=200, body="ok\n")
    assert hook.post("webhook", a_card()) == ""
    assert len(server.requests) == 1


def test_a_webhook_that_was_removed(server: Workspace) -> None:
    """The stand-in knows only its own webhooks; the URL, which is a secret, is in no text."""
    edge = Slack(lambda: f"{server.console_url}services/T0LOCAL00/{CHANNEL}/wrong", None)
    error = refused(lambda: edge.post("webhook", a_card()))
    assert error.reason == "slack_no_service"
    assert "make a new one" in str(error)


# The token.


def test_a_rotated_token_is_used_without_a_restart(server: Workspace, tmp_path: Path) -> None:
    """The token's file is read for every post."""
    file = tmp_path / "token"
    file.write_text("xoxb-old\n")
    edge = Slack(RotatingToken(name="SLACK_TOKEN", file=file).read, server.url)
    assert refused(lambda: edge.post(CHANNEL, a_card())).reason == "slack_invalid_auth"
    file.write_text(f"{TOKEN}\n")
    edge.post(CHANNEL, a_card())
    file.write_text(server.webhook_url)
    edge.post("webhook", a_card())
    assert [message.via for message in server.messages] == ["api", "webhook"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "slack_token_blank"),
        (b"xoxb-one\nxoxb-two\n", "slack_token_malformed"),
        (None, "slack_token_unreadable"),
    ],
)
def test_a_token_file_without_a_usable_token_is_named(
    server: Workspace,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    content: bytes | None,
    reason: str,
) -> None:
    """Nothing is sent, SLACK_TOKEN_FILE is named, and what is in it shows up in no error and no log."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    edge = Slack(RotatingToken(name="SLACK_TOKEN", file=file).read, server.url)
    error = refused(lambda: edge.post(CHANNEL, a_card()))
    assert error.reason == reason
    assert "SLACK_TOKEN_FILE" in str(error)
    assert server.requests == []
    assert "xox" not in caplog.text


# Proxies.


def test_a_proxy_of_the_environment_is_used(server: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a forward proxy the post goes through it; the stand-in plays the proxy here."""
    monkeypatch.setenv("http_proxy", server.console_url)
    Slack(lambda: TOKEN, "http://slack.example/api/").post(CHANNEL, a_card())
    Slack(lambda: f"http://slack.example/services/T0LOCAL00/{CHANNEL}/localwebhooksecret000000", None).post(
        "webhook", a_card()
    )
    assert [message.via for message in server.messages] == ["api", "webhook"]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY"])
def test_no_proxy_is_honoured_and_each_proxy_serves_its_own_scheme(
    server: Workspace, edge: Slack, hook: Slack, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A host in NO_PROXY is reached directly, which the SDK's own rule would not do."""
    monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")
    if variable == "HTTP_PROXY":
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    edge.post(CHANNEL, a_card())
    hook.post("webhook", a_card())
    assert len(server.messages) == 2


def test_a_proxy_that_is_down_is_raised(
    server: Workspace, edge: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no way around a proxy that was asked for."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert refused(lambda: edge.post(CHANNEL, a_card())).reason == "slack_unreachable"
    assert server.requests == []
