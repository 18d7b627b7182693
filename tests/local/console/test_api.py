"""The playground over HTTP: who gets in, what the state and the stream say, and what a wish is answered."""

import contextlib
import html
import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from local.console.access import MAX_BODY
from local.console.server import Console
from local.feed.feed import Feed
from tests.local.console.conftest import FakeStack

CHANNEL = "C0123456789"
HOSTILE = "</script><img src=x onerror=alert(1)>"


def call(
    console: Console, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any, http.client.HTTPMessage]:
    """Return status, content (parsed if it is JSON) and headers of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", console.port, timeout=20)
    content = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json"} if content is not None else {}
    connection.request(
        method, path, content, sent | {name.replace("_", "-"): value for name, value in headers.items()}
    )
    with connection.getresponse() as answer:
        text = answer.read().decode()
    connection.close()
    is_json = answer.headers["Content-Type"] == "application/json"
    return answer.status, json.loads(text) if is_json else text, answer.headers


class Browser:
    """Reads one stream."""

    def __init__(self, console: Console, since: int, **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", console.port, timeout=20)
        self._connection.request("GET", f"/api/stream?since={since}", headers=headers)
        self._answer = self._connection.getresponse()
        assert self._answer.headers["Content-Type"].startswith("text/event-stream")

    def events(self) -> Iterator[tuple[str, Any]]:
        """Yield name and data of each event."""
        name = ""
        while line := self._answer.readline().decode():
            line = line.strip()
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                self._answer.readline()
                yield name, json.loads(line.removeprefix("data: "))

    def until(self, wanted: str) -> Any:
        """Return the data of the next event of this name."""
        return next(data for name, data in self.events() if name == wanted)

    def close(self) -> None:
        """Leave."""
        self._answer.close()
        self._connection.close()


def post(stack: FakeStack, text: str, **more: Any) -> str:
    """Post a message as notify_slack does, and return its ts."""
    answer = stack.slack.workspace.call("chat.postMessage", {"channel": CHANNEL, "text": text, **more})
    return str(answer["ts"])


def test_the_page_and_its_files_are_there(console: Console) -> None:
    """The page, its icon and every file that it names are served from here, with the policy."""
    status, page, headers = call(console, "GET", "/")
    assert (status, headers["X-Frame-Options"]) == (200, "DENY")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "/static/" in page
    assert call(console, "GET", "/favicon.svg")[2]["Content-Type"] == "image/svg+xml"
    assert call(console, "GET", "/static/main.js")[2]["Content-Type"].startswith("text/javascript")
    assert call(console, "GET", "/static/slack.css")[0] == 200
    for name in ("none.js", "..%2fpage.py", "%2e%2e/page.py"):
        assert call(console, "GET", f"/static/{name}")[0] == 404


def test_without_javascript_the_page_shows_what_slack_has(console: Console, stack: FakeStack) -> None:
    """A browser without JavaScript finds the messages, and a program too; text stays text."""
    post(stack, "Export fails &lt;/noscript&gt;&lt;script&gt;alert(1)&lt;/script&gt;")
    shown = call(console, "GET", "/")[1].partition("<noscript>")[2].partition("</noscript>")[0]
    assert "# issues" in shown
    assert "Export fails &lt;/noscript&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_another_site_gets_nothing(console: Console, stack: FakeStack) -> None:
    """A foreign name, a foreign origin, a form, a long body and another method are refused over HTTP."""
    wish = {"part": "slack", "how": "429"}
    refused = [
        call(console, "GET", "/api/state", Host=f"evil.example:{console.port}"),
        call(console, "POST", "/api/break", wish, Origin="https://evil.example"),
        call(console, "POST", "/api/break", wish, Sec_Fetch_Site="cross-site"),
        call(console, "GET", "/api/stream?since=0", Sec_Fetch_Site="cross-site"),
        call(console, "POST", "/api/break", wish, Content_Type="text/plain"),
        call(console, "POST", "/api/break", {"part": "x" * MAX_BODY}),
        call(console, "OPTIONS", "/api/break"),
    ]
    assert [status for status, _, _ in refused] == [403, 403, 403, 403, 415, 413, 405]
    assert all(headers["Access-Control-Allow-Origin"] is None for _, _, headers in refused)
    assert all(answer["error"] for _, answer, _ in refused)
    assert stack.slack.record("chat.postMessage", {}) is None


def test_only_this_machine_is_listened_to(console: Console) -> None:
    """The server is bound to loopback."""
    assert console._server.server_address[0] == "127.0.0.1"


def test_the_state_is_all_that_the_page_shows(console: Console, stack: FakeStack) -> None:
    """Parts, switches, channels with their messages drawn, and issues; a title stays text."""
    parent = post(
        stack,
        f"A card {html.escape(HOSTILE)}",
        metadata={"event_type": "issuewire_card", "event_payload": {}},
    )
    post(stack, "A reply", thread_ts=parent)
    call(console, "POST", "/api/simulate", {"do": "open", "title": HOSTILE, "labels": ["bug"]})
    _, state, _ = call(console, "GET", "/api/state")
    assert [each["name"] for each in state["parts"]] == [
        "github", "ingest", "pubsub", "notify_slack", "stream_bq", "reconcile", "slack", "bigquery",
    ]  # fmt: skip
    [channel] = state["channels"]
    assert (channel["id"], channel["name"]) == (CHANNEL, "issues")
    card, reply = channel["messages"]
    assert (card["thread_ts"], reply["thread_ts"]) == (None, parent)
    assert "&lt;/script&gt;" in card["html"]
    assert "<img" not in card["html"]
    assert card["metadata"]["event_type"] == "issuewire_card"
    [issue] = state["issues"]
    assert (issue["title"], issue["state"], issue["labels"]) == (HOSTILE, "open", ["bug"])
    assert state["last"] >= 2


def test_the_lists_are_bounded(console: Console, stack: FakeStack, feed: Feed) -> None:
    """After 2,000 deliveries and messages, the state has the newest 200 of each, and a reply's parent."""
    first = post(stack, "The first card")
    for number in range(2_000):
        post(stack, f"card {number}")
        feed.tell(
            part="ingest", kind="line", text="Published", delivery_id=f"d-{number}", message_id=str(number)
        )
    post(stack, "A late reply", thread_ts=first)
    state = call(console, "GET", "/api/state")[1]
    [channel] = state["channels"]
    assert len(channel["messages"]) == 201
    assert channel["messages"][0]["ts"] == first
    assert "card 1999" in channel["messages"][-2]["html"]
    assert len(state["deliveries"]) == 200
    assert state["deliveries"][0]["delivery_id"] == "d-1999"
    counts = {each["name"]: each["count"] for each in state["parts"]}
    assert counts["ingest"] <= 2_000


def test_two_browsers_see_the_same(console: Console, stack: FakeStack) -> None:
    """Each stream tells of every message, also of its change and its end; a slow start loses nothing."""
    since = call(console, "GET", "/api/state")[1]["last"]
    ts = post(stack, "First")
    browsers = [Browser(console, since) for _ in range(2)]
    for browser in browsers:
        assert "First" in browser.until("message")["html"]
    stack.slack.workspace.call("chat.update", {"channel": CHANNEL, "ts": ts, "text": "Second"})
    for browser in browsers:
        assert "Second" in browser.until("message")["html"]
    stack.slack.workspace.call("chat.delete", {"channel": CHANNEL, "ts": ts})
    for browser in browsers:
        assert browser.until("message") == {"channel": CHANNEL, "ts": ts, "gone": True}
        browser.close()


def test_the_stream_tells_of_issues_and_parts(console: Console) -> None:
    """An issue that changes and a switch that is turned come by themselves."""
    browser = Browser(console, 0)
    call(console, "POST", "/api/simulate", {"do": "open", "title": "Export fails"})
    assert browser.until("issue")["title"] == "Export fails"
    call(console, "POST", "/api/break", {"part": "slack", "how": "errors"})
    while True:
        found = browser.until("parts")
        if any(each["on"] for each in found["switches"]):
            break
    assert next(each for each in found["parts"] if each["name"] == "slack")["state"] == "broken"
    browser.close()


def test_a_reconnect_goes_on_where_it_was(console: Console, feed: Feed) -> None:
    """Last-Event-ID wins over the address; a number from before a restart makes the page read again."""
    for number in range(3):
        feed.tell(part="stack", kind="note", text=f"note {number}")
    browser = Browser(console, 0, **{"Last-Event-ID": str(feed.last - 1)})
    assert browser.until("happening")["text"] == "note 2"
    browser.close()
    stranger = Browser(console, feed.last + 50)
    assert next(stranger.events()) == ("reset", {})
    stranger.close()


def test_the_stop_ends_the_streams(stack: FakeStack, feed: Feed) -> None:
    """The playground stops at once, even if a browser still reads."""
    before = threading.active_count()
    with Console(stack, feed) as console:
        browsers = [Browser(console, 0) for _ in range(8)]
    assert threading.active_count() == before
    for browser in browsers:
        browser.close()


def test_the_stop_waits_for_no_answer(stack: FakeStack, feed: Feed) -> None:
    """A run of reconcile or a question to BigQuery that takes long does not hold up Ctrl-C."""
    begun, over = threading.Event(), threading.Event()

    def take_long() -> dict[str, Any]:
        begun.set()
        over.wait(20)
        return {"text": "over"}

    answers: list[Any] = []

    def ask(console: Console) -> None:
        with contextlib.suppress(http.client.HTTPException, OSError):
            answers.append(call(console, "POST", "/api/reconcile", {}))

    with Console(stack, feed) as console:
        console.nets.reconcile = take_long
        caller = threading.Thread(target=ask, args=(console,))
        caller.start()
        assert begun.wait(20)
    assert not over.is_set()
    over.set()
    caller.join()
    assert all(status == 502 for status, _, _ in answers)


@pytest.mark.parametrize(
    ("path", "body", "status", "why"),
    [
        ("simulate", [], 400, "the body must be a JSON object"),
        ("simulate", {"do": "fly"}, 400, "do must be one of"),
        ("break", {"part": "slack"}, 400, "how must be one of"),
        ("reconcile", {}, 502, "reconcile gave no answer"),
        ("nothing", {}, 404, "not found"),
    ],
)
def test_a_refusal_is_a_sentence(console: Console, path: str, body: Any, status: int, why: str) -> None:
    """Every error is JSON with one sentence."""
    answered, answer, _ = call(console, "POST", f"/api/{path}", body)
    assert (answered, why.lower() in answer["error"].lower()) == (status, True), answer


def test_a_body_that_is_no_json_is_refused(console: Console) -> None:
    """Bytes that cannot be read are refused, also deeply nested ones."""
    for content in (b"{", b"\xff", b"[" * 100_000):
        connection = http.client.HTTPConnection("127.0.0.1", console.port, timeout=20)
        connection.request("POST", "/api/simulate", content, {"Content-Type": "application/json"})
        assert connection.getresponse().status == 400
        connection.close()


def test_a_delivery_in_short(console: Console, feed: Feed) -> None:
    """`short` leaves out body and lines, without a question to BigQuery; an unknown delivery is 404."""
    feed.tell(part="ingest", kind="line", text="Published", delivery_id="a/b", message_id="1")
    status, found, _ = call(console, "GET", "/api/deliveries/a%2Fb?short")
    assert (status, found["message_id"]) == (200, "1")
    assert {"body", "lines"}.isdisjoint(found)
    assert call(console, "GET", "/api/deliveries/other?short")[0] == 404
