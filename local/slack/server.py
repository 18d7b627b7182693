"""A strict stand-in for Slack on loopback: Web API methods, an incoming webhook, scripted faults and a page.

A message is kept only when Slack would show it as meant; why one was refused is in the answer and in the log.
"""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from types import MappingProxyType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from local.slack.faults import Fault, Script
from local.slack.limit import Limit
from local.slack.page import Message, Names, render_page
from local.slack.rules import Arguments, Problem, RefusedError, decode, decode_form
from local.slack.shown import TEAM
from local.slack.workspace import ALL_SCOPES, Workspace

__all__ = ["Fault", "Message", "SlackServer"]

DEFAULT_CHANNELS: Final[Mapping[str, str]] = MappingProxyType({"C0123456789": "issues"})
WEBHOOK: Final = "webhook"  # the name of an incoming webhook's post among methods
MAX_BODY: Final = 2_000_000  # bytes
REFRESH: Final = 3  # seconds between two loads of the page

_HOOK_SECRET = "localwebhooksecret000000"
_JSON = "application/json; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
# docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: what is not listed is a 400.
_WEBHOOK_STATUS = {
    "action_prohibited": 403,
    "channel_not_found": 404,
    "no_service": 404,
    "channel_is_archived": 410,
    "rollup_error": 500,
}
_WEBHOOK_NAMES = {"is_archived": "channel_is_archived", "restricted_action": "action_prohibited"}
_PAYLOAD_SLUGS = frozenset(
    {
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_charset",
        "invalid_form_data",
        "invalid_json",
        "invalid_post_type",
        "json_not_object",
        "missing_post_type",
    }
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    method: str
    hook: str  # path of an incoming webhook, else empty
    verb: str
    query: str
    content_type: str
    authorization: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    body: bytes
    status: int = 200
    content_type: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    half: bool = False  # the connection is closed in the middle of the body


class SlackServer:
    """Slack for one workspace on one port; stopped and started again it keeps its port and its messages.

    channels: id -> name; archived, not_member, restricted: ids among them in which a post is refused with
    is_archived (is_inactive for an update), not_in_channel, restricted_action; who is no member cannot read
    either. private: ids whose reading needs groups:history instead of channels:history, channel_not_found
    to who is no member. scopes: what the app was given. history_lag: seconds, by clock, until a new message
    is in conversations.history. burst: how many posts into one channel pass at once before it is one a second
    and the next is a 429, None for no limit. users: id -> name, for the page only.
    """

    def __init__(  # noqa: PLR0913 -- each is one property of a workspace, and a test names only what it needs
        self,
        port: int = 0,
        channels: Mapping[str, str] = DEFAULT_CHANNELS,
        token: str = "xoxb-local",
        *,
        archived: Collection[str] = (),
        not_member: Collection[str] = (),
        restricted: Collection[str] = (),
        private: Collection[str] = (),
        scopes: Collection[str] = ALL_SCOPES,
        history_lag: float = 0.0,
        burst: int | None = None,
        users: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._port = port
        self._token = token
        self._names = Names(channels=channels, users=users or {}, zone=_local_zone())
        outside = {
            channel: "channel_not_found" if channel in private else "not_in_channel" for channel in not_member
        }
        self._workspace = Workspace(
            self._names,
            closed={
                **dict.fromkeys(restricted, "restricted_action"),
                **outside,
                **dict.fromkeys(archived, "is_archived"),
            },
            hidden=outside,
            private=private,
            scopes=scopes,
            history_lag=history_lag,
            clock=clock,
        )
        self._lock = threading.Lock()
        self._requests: list[tuple[str, Arguments]] = []
        self._faults = Script()
        self._limit = Limit(burst, clock)
        self._stopping = threading.Event()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Listen and return the base URL of the Web API; raises OSError when the port is taken."""
        if self._server is not None:
            raise RuntimeError("the Slack stand-in is already running")
        self._stopping.clear()
        self._server = _Server(self, self._port)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="slack", daemon=True
        )
        self._thread.start()
        return self.url

    def stop(self) -> None:
        """Close the port and every connection, wake what hangs, and wait for all threads."""
        if self._server is None or self._thread is None:
            return
        self._stopping.set()
        self._server.close()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Base URL of the Web API, as slack_sdk's WebClient(base_url=...) takes it."""
        return f"{self.console_url}api/"

    @property
    def webhook_url(self) -> str:
        """Incoming webhook of the first channel."""
        return self.webhook_for(next(iter(self._names.channels)))

    @property
    def console_url(self) -> str:
        """The page that draws the messages."""
        if not self._port:
            raise RuntimeError("the Slack stand-in has no port before it is started")
        return f"http://127.0.0.1:{self._port}/"

    @property
    def messages(self) -> list[Message]:
        """What is kept, as it stands now, oldest first; a deleted one is gone. A copy."""
        return self._workspace.messages

    @property
    def requests(self) -> list[tuple[str, Arguments]]:
        """Every call, also refused and failed ones: method or "webhook", and arguments ({} if unreadable)."""
        with self._lock:
            return list(self._requests)

    @property
    def hasty(self) -> list[tuple[str, str]]:
        """Calls before the Retry-After of a 429 had passed, by clock: method, and the channel of a post."""
        with self._lock:
            return list(self._limit.hasty)

    def webhook_for(self, channel: str) -> str:
        """Incoming webhook of a channel; that of an unknown one answers channel_not_found."""
        return f"{self.console_url}services/{TEAM}/{channel}/{_HOOK_SECRET}"

    def fail_next(self, n: int = 1, **fault: Any) -> None:
        """Fail the next n matching calls; takes the fields of Fault. Repeated calls queue up."""
        with self._lock:
            self._faults.queue(Fault(**fault), n)

    def fail_until_cleared(self, **fault: Any) -> None:
        """Fail every matching call from now on, once the queue of fail_next is done."""
        with self._lock:
            self._faults.last(Fault(**fault))

    def clear_faults(self) -> None:
        """End the outage and forget the queue."""
        with self._lock:
            self._faults.clear()

    def answer(self, call: _Call) -> _Reply | None:
        """Carry out one call under the scripted faults; None means: close without an answer."""
        refusal: RefusedError | None = None
        arguments: Arguments = {}
        try:
            arguments = _read_arguments(call)
        except RefusedError as error:
            refusal = error
        with self._lock:
            self._requests.append((call.method, arguments))
            seconds = self._limit.refuse(call.method, arguments)
            fault = self._faults.take(call.method)
            if fault is None and seconds:
                fault = Fault(status=429, headers={"Retry-After": str(seconds)})
            if fault is not None and fault.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._limit.asked(call.method, arguments, fault.headers)
        if fault is None:
            return self._carry_out(call, arguments, refusal)
        true_reply = self._carry_out(call, arguments, refusal) if fault.after else None
        self._stopping.wait(fault.hang)
        if fault.drop:
            return None
        reply = _fault_reply(call, fault) if fault.status or fault.error else true_reply
        return replace(reply, half=True) if reply is not None and fault.half else reply

    def page(self) -> str:
        """Draw the messages kept so far."""
        return render_page(self.messages, self._names, refresh=REFRESH)

    def _carry_out(self, call: _Call, arguments: Arguments, refusal: RefusedError | None) -> _Reply:
        try:
            if call.hook:
                self._take_webhook(call, arguments, refusal)
                return _Reply(body=b"ok", content_type=_TEXT)
            return _json_reply(self._call_method(call, arguments, refusal))
        except RefusedError as error:
            _log.warning("refused %s: %s", call.method, error)
            return _refusal_reply(call, error)

    def _call_method(self, call: _Call, arguments: Arguments, refusal: RefusedError | None) -> dict[str, Any]:
        method = self._workspace.method(call.method, call.verb)
        scheme, _, token = call.authorization.partition(" ")
        if not call.authorization:
            raise RefusedError(Problem(error="not_authed"))
        if scheme != "Bearer" or token != self._token:
            raise RefusedError(Problem(error="invalid_auth"))
        self._workspace.check_scope(method, arguments)
        if refusal is not None:
            raise refusal
        return {"ok": True, **self._workspace.call(method, arguments)}

    def _take_webhook(self, call: _Call, arguments: Arguments, refusal: RefusedError | None) -> None:
        match call.hook.split("/"):
            case [team, channel, secret] if team == TEAM and secret == _HOOK_SECRET:
                pass
            case _:
                raise RefusedError(Problem(error="no_service"))
        if refusal is not None:
            raise refusal
        self._workspace.take_webhook(channel, arguments)


class _Server(ThreadingHTTPServer):
    """A thread per connection; close() leaves none behind, and none outlives a program that forgot it."""

    daemon_threads = True
    request_queue_size = 128  # connections that wait to be accepted; past it a client retries after a second

    def __init__(self, slack: SlackServer, port: int) -> None:
        self.slack = slack
        self._open: set[socket] = set()
        self._open_lock = threading.Lock()
        self._workers: list[threading.Thread] = []
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread; noted before it runs, so that close() misses none."""
        target = self.process_request_thread
        worker = threading.Thread(
            target=target, args=(request, client_address), name="slack-call", daemon=True
        )
        self._workers = [*filter(threading.Thread.is_alive, self._workers), worker]
        with self._open_lock:
            self._open.add(request)
        worker.start()

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def close(self) -> None:
        """Stop listening, end every connection (an idle one would wait for its next request), and join."""
        self.shutdown()
        self.server_close()
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(SHUT_RDWR)
                except OSError:
                    _log.debug("a connection was closed by its client first")
        for worker in self._workers:
            worker.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what a handler let rise; a client that went away is no error of ours."""
        gone = isinstance(sys.exception(), ConnectionError | TimeoutError)
        level = logging.DEBUG if gone else logging.ERROR
        _log.log(level, "connection of %s ended early", client_address, exc_info=True)
        del request


class _Handler(BaseHTTPRequestHandler):
    """HTTP only: reads a call, writes the answer."""

    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds for the next request on a kept-alive connection
    server: _Server

    def do_GET(self) -> None:
        """Serve the page, the messages as JSON, and the methods that read."""
        path = urlsplit(self.path).path
        if path == "/":
            page = self.server.slack.page().encode()
            self._write(_Reply(body=page, content_type="text/html; charset=utf-8"))
        elif path == "/messages.json":
            kept = [asdict(message) for message in self.server.slack.messages]
            self._write(_Reply(body=json.dumps(kept).encode()))
        elif path == "/favicon.ico":
            self._write(_Reply(body=b"", status=404, content_type=_TEXT))
        else:
            self._call(b"")

    def do_POST(self) -> None:
        """Serve every method and the incoming webhooks."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            return self._refuse(411, "a Content-Length is needed")
        if int(length) > MAX_BODY:
            return self._refuse(413, f"more than {MAX_BODY} bytes")
        body = self.rfile.read(int(length))
        return self._call(body) if len(body) == int(length) else self._refuse(400, "the body ended early")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name in the base class
        """Log to the logger of this module rather than to standard error."""
        _log.debug(format, *args)

    def _call(self, body: bytes) -> None:
        url = urlsplit(self.path)
        hook = url.path.removeprefix("/services/") if url.path.startswith("/services/") else ""
        reply = self.server.slack.answer(
            _Call(
                method=WEBHOOK if hook else url.path.removeprefix("/api").strip("/"),
                hook=hook,
                verb=self.command,
                query=url.query,
                content_type=self.headers.get("Content-Type", ""),
                authorization=self.headers.get("Authorization", ""),
                body=body,
            )
        )
        if reply is None:
            self.close_connection = True
        else:
            self._write(reply)

    def _refuse(self, status: int, message: str) -> None:
        self.close_connection = True  # what is left of the body would be read as the next request
        self._write(_Reply(body=message.encode(), status=status, content_type=_TEXT))

    def _write(self, reply: _Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.close_connection |= reply.half
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.half else reply.body)


def _local_zone() -> tzinfo:
    return datetime.now(UTC).astimezone().tzinfo or UTC


def _read_arguments(call: _Call) -> Arguments:
    if call.verb == "GET":
        return decode_form(call.query.encode())
    arguments = decode(call.content_type, call.body)
    if call.hook and arguments.keys() == {"payload"}:  # the form variant of a webhook
        return decode("application/json", str(arguments["payload"]).encode(errors="replace"))
    return arguments


def _json_reply(
    answer: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> _Reply:
    return _Reply(body=json.dumps(answer).encode(), status=status, headers=headers or {})


def _refusal_reply(call: _Call, refusal: RefusedError) -> _Reply:
    error = refusal.problems[0].error
    if call.hook:
        error = "invalid_payload" if error in _PAYLOAD_SLUGS else _WEBHOOK_NAMES.get(error, error)
        return _Reply(body=error.encode(), status=_WEBHOOK_STATUS.get(error, 400), content_type=_TEXT)
    answer: dict[str, Any] = {"ok": False, "error": error, **refusal.details}
    if sentences := [str(problem) for problem in refusal.problems if problem.message]:
        answer["errors"] = sentences
        answer["response_metadata"] = {"messages": [f"[ERROR] {sentence}" for sentence in sentences]}
    return _json_reply(answer)


def _fault_reply(call: _Call, fault: Fault) -> _Reply:
    limited = fault.status == 429
    if call.hook:
        error = fault.error or ("rate_limited" if limited else "rollup_error")
        status = fault.status or _WEBHOOK_STATUS.get(error, 400)
        body = error if fault.body is None else fault.body
        return _Reply(body=body.encode(), status=status, content_type=_TEXT, headers=fault.headers)
    if fault.body is not None:
        return _Reply(
            body=fault.body.encode(), status=fault.status or 200, content_type=_TEXT, headers=fault.headers
        )
    error = fault.error or ("ratelimited" if limited else "internal_error")
    return _json_reply({"ok": False, "error": error}, fault.status or 200, fault.headers)
