"""The routes of the stand-in: Slack's methods, the incoming webhooks, and the console page."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

from local.faults import answer
from local.slack.faults import Fault
from local.slack.files import UPLOADS
from local.slack.message import TEAM
from local.slack.rules.decoding import decode, decode_form
from local.slack.rules.problems import Arguments, Problem, RefusedError

if TYPE_CHECKING:
    from local.slack.server import SlackServer

WEBHOOK: Final = "webhook"  # the name of an incoming webhook among the methods
UPLOAD: Final = "upload"  # likewise, that of a file's bytes
WEBHOOK_SECRET: Final = "localwebhooksecret000000"
MAX_BODY: Final = 2_000_000  # bytes

_VERBS = ("GET", "POST")
# docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: any other error is a 400.
_WEBHOOK_STATUS = {
    "action_prohibited": 403,
    "channel_not_found": 404,
    "no_service": 404,
    "channel_is_archived": 410,
    "rollup_error": 500,
}
_WEBHOOK_ERRORS = {
    "invalid_arguments": "invalid_payload",
    "is_archived": "channel_is_archived",
    "restricted_action": "action_prohibited",
}

_log = logging.getLogger(__name__)


def create_app(slack: "SlackServer") -> Flask:
    """Build the application that serves one workspace."""
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY, PROPAGATE_EXCEPTIONS=True)

    @app.before_request
    def read_body() -> None:
        length = request.headers.get("Content-Length", "" if request.method == "POST" else "0")
        if not length.isascii() or not length.isdigit():
            abort(411, "a Content-Length is needed")
        request.get_data()  # raises 413 if it is too long, 400 if it ends early

    @app.errorhandler(HTTPException)
    def refuse_request(error: HTTPException) -> Response:
        return _respond(str(error.description), error.code or 500)

    @app.get("/")
    def console() -> str:
        return slack.page()

    @app.get("/messages.json")
    def messages() -> Response:
        return _respond([asdict(message) for message in slack.messages])

    @app.get("/favicon.ico")
    def icon() -> Response:
        return _respond("", 404)

    @app.route("/services/<path:address>", methods=_VERBS)
    def webhook(address: str) -> Response:
        def act(arguments: Arguments, unreadable: RefusedError | None) -> Response:
            team, channel, secret = [*address.split("/", 2), "", ""][:3]
            if (team, secret) != (TEAM, WEBHOOK_SECRET):
                raise RefusedError(Problem(error="no_service"))
            if unreadable:
                raise RefusedError(Problem(error="invalid_payload", message=str(unreadable)))
            slack.workspace.take_webhook(channel, arguments)
            return _respond("ok")

        return _answer(slack, WEBHOOK, act)

    @app.post(f"/{UPLOADS}<name>")
    def upload(name: str) -> Response:
        def carry_out() -> Response:
            if not slack.workspace.take_upload(name, request.get_data()):
                return _respond("no such upload, or not as many bytes as announced", 400)
            return _respond(f"OK - {len(request.get_data())}")

        fault = slack.record(UPLOAD, {})
        return answer(fault, carry_out=carry_out, fail=lambda fault: _failure(UPLOAD, fault), wait=slack.wait)

    @app.get("/files/<name>")
    def picture(name: str) -> Response:
        found = slack.workspace.picture(name)
        return Response(found.content, content_type=found.kind) if found else _respond("", 404)

    @app.route("/api/<path:name>", methods=_VERBS)
    @app.route("/<path:name>", methods=_VERBS)
    def web_api(name: str) -> Response:
        def act(arguments: Arguments, unreadable: RefusedError | None) -> Response:
            slack.workspace.check_method(name, request.method)
            header = request.headers.get("Authorization")
            if header != f"Bearer {slack.token}":
                raise RefusedError(Problem(error="invalid_auth" if header else "not_authed"))
            slack.workspace.access.check_scope(name, arguments.get("channel"))
            if unreadable:
                raise unreadable
            scopes = ",".join(sorted(slack.workspace.access.scopes))
            answer = {"ok": True, **slack.workspace.call(name, arguments)}
            if "upload_url" in answer:
                answer["upload_url"] = f"{request.host_url}{answer['upload_url']}"
            return _respond(answer, headers={"X-OAuth-Scopes": scopes})

        return _answer(slack, name, act)

    return app


def _answer(
    slack: "SlackServer", name: str, act: Callable[[Arguments, RefusedError | None], Response]
) -> Response:
    """Carry out a call under the faults; raises ConnectionAbortedError to close without an answer."""
    arguments, unreadable = _read_arguments(name)

    def carry_out() -> Response:
        try:
            return act(arguments, unreadable)
        except RefusedError as refusal:
            _log.warning("refused %s: %s", name, refusal)
            return _refusal(name, refusal)

    fault = slack.record(name, arguments)
    return answer(fault, carry_out=carry_out, fail=lambda fault: _failure(name, fault), wait=slack.wait)


def _read_arguments(name: str) -> tuple[Arguments, RefusedError | None]:
    """Return the arguments of the request, or none and why they cannot be read."""
    try:
        if request.method == "GET":
            return decode_form(request.query_string), None
        arguments = decode(request.content_type or "", request.get_data())
        if name == WEBHOOK and arguments.keys() == {"payload"}:  # the form variant of a webhook
            arguments = decode("application/json", str(arguments["payload"]).encode(errors="replace"))
    except RefusedError as refusal:
        return {}, refusal
    return arguments, None


def _refusal(name: str, refusal: RefusedError) -> Response:
    error = refusal.problems[0].error
    if name == WEBHOOK:
        error = _WEBHOOK_ERRORS.get(error, error)
        return _respond(error, _WEBHOOK_STATUS.get(error, 400))
    answer: dict[str, Any] = {"ok": False, "error": error, **refusal.details}
    if sentences := [str(problem) for problem in refusal.problems if problem.message]:
        answer["errors"] = sentences
        answer["response_metadata"] = {"messages": [f"[ERROR] {sentence}" for sentence in sentences]}
    return _respond(answer)


def _failure(name: str, fault: Fault) -> Response:
    if name == WEBHOOK:
        content: Any = fault.error or ("rate_limited" if fault.status == 429 else "rollup_error")
        status = fault.status or _WEBHOOK_STATUS.get(content, 400)
    else:
        error = fault.error or ("ratelimited" if fault.status == 429 else "internal_error")
        content, status = {"ok": False, "error": error}, fault.status or 200
    return _respond(content if fault.body is None else fault.body, status, fault.headers)


def _respond(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer a string as text, and anything else as JSON."""
    if isinstance(content, str):
        return Response(content, status, headers, content_type="text/plain; charset=utf-8")
    return Response(json.dumps(content), status, headers, content_type="application/json; charset=utf-8")
