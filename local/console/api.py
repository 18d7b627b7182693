"""The routes of the playground. Every answer is JSON but for the page, its files and the report.

The policy of the page allows no inline script and no inline style (`style=...`, `<style>`), in `html` too.

GET /                      the page;  GET /static/NAME  its files;  GET /favicon.svg
GET /files/ID              a picture of a Slack message
GET /api/state             {"parts": [PART], "switches": [SWITCH],
                            "deliveries": [DELIVERY], newest first, 200,
                            "channels": [{"id", "name", "messages": [MESSAGE]}], oldest first, 200,
                            "issues": [ISSUE], the one that changed last first, 200,
                            "last": number of the newest happening}
GET /api/stream?since=N    server-sent events (a reconnect's Last-Event-ID wins over `since`):
                           happening  one Happening (local/feed/happening.py), its number as id
                           delivery   one DELIVERY, whenever it changed
                           message    {"channel", **MESSAGE}, or {"channel", "ts", "gone": true}
                           issue      one ISSUE, or {"repository", "number", "gone": true}
                           parts      {"parts": [PART], "switches": [SWITCH]}, at most four times a second
                           reset      {}: what follows N is not known any more; read /api/state again
                           A change may come twice, and one that the state has may come again.
GET /api/deliveries/ID     {**DELIVERY, "body": JSON text or null, "lines": [{"part", "at", "level", "text",
                            "kind", "fields"}], oldest first}, with ?short only DELIVERY; 404 {"error"}
GET /api/issue?repository=R&number=N   {"row": {column: value} of `issues` or null,
                                        "events": [{column: value}] latest rows of issue_events, 20}
GET /api/numbers           {"headline": [{"label", "value", "note"}], "charts": [{"title", "svg"}]}
GET /report                the report as HTML, with a policy of its own (for an iframe or a tab)
GET /api/sql/examples      [{"title", "sql"}]
POST /api/sql              {"sql"} -> {"columns": [name], "rows": [[text or null]], "truncated": bool, "ms"}
POST /api/simulate         {"do", ...} -> {"deliveries": [ids], "text"}; fields by `do`:
                           open: repository, title, body, labels, author, number (default: the next one)
                           comment: repository, number, body, author
                           label, unlabel: repository, number, label, author;  assign, unassign: ... to
                           close: repository, number, reason (completed, not_planned, duplicate), author
                           reopen, delete: repository, number, author;  edit: ... title, body
                           transfer: repository, number, to (OWNER/REPO), author
                           forge: nothing (a wrong signature: 401);  resend: nothing (the last delivery again)
                           burst: repository;  week: nothing (runs on; happenings show how far it is);
                           stop: ends the week.  Every field but `do` has a default, where one makes sense.
POST /api/break            {"part", "how"} -> {"text", "switches": [SWITCH]}; how "well" heals the part
POST /api/reconcile        {} -> the summary of the run
POST /api/dead-letters/replay   {} -> {"replayed": count, "ids": [...], "text"}
An error is {"error": sentence} with 400 (what was sent), 403 (access.py), 404, 409 (not now) or 502 (a part
does not answer).

PART      {"name", "label", "state": "up"|"down"|"broken"|"paused", "count", "backlog": number or null,
           "delay_ms": number or null, "note"}; pubsub also "backlogs": {subscription: number} and "held"
SWITCH    {"part", "how", "label", "text": what it does, "on": bool}
DELIVERY  {"delivery_id", "number", "at", "event", "repository", "issue", "status", "answer", "times",
           "settled", "functions": {name: {"state", "text", "outcomes", "attempts", "reason", "retry_at",
           "seconds"}}} as local/feed/deliveries.py has it
MESSAGE   {"ts", "thread_ts": text or null, "html", "metadata": object or null, "edited": bool}; `html` is one
          message without its replies, and ends with <details class="meta"> if it has metadata; the parent of
          a shown reply is shown too
ISSUE     {"repository", "number", "title", "state", "state_reason", "labels": [name], "assignees": [login]}
"""

import json
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException

from local.console import access
from local.console.examples import EXAMPLES
from local.console.interruption import NoAnswer, unless_stopped
from local.console.page import page
from local.console.stream import stream
from local.console.wishes import NotPossible
from local.http_server import EVENT_STREAM
from pipeline.errors import Malformed
from pipeline.events import parse_payload

if TYPE_CHECKING:
    from local.console.server import Console

type Json = dict[str, Any]


class Answered(Exception):
    """The request is answered with this status, and the text as its error."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


def create_app(console: "Console") -> Flask:
    """Build the application."""
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=access.MAX_BODY, PROPAGATE_EXCEPTIONS=True)

    def answer[Result](act: Callable[[], Result]) -> Result:
        return unless_stopped(act, console.stopping)

    @app.before_request
    def check_access() -> None:
        access.check(request.method, request.path, request.headers, console.port)

    @app.errorhandler(NotPossible)
    def refuse_wish(error: NotPossible) -> Response:
        return _json({"error": str(error)}, HTTPStatus.BAD_REQUEST)

    @app.errorhandler(NoAnswer)
    def report_failure(error: NoAnswer) -> Response:
        return _json({"error": str(error)}, HTTPStatus.BAD_GATEWAY)

    @app.errorhandler(access.Forbidden)
    @app.errorhandler(Answered)
    def refuse(error: access.Forbidden | Answered) -> Response:
        return _json({"error": str(error)}, error.status)

    @app.errorhandler(HTTPException)
    def refuse_route(error: HTTPException) -> Response:
        return _json({"error": str(error.description)}, error.code or 500)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(access.security_headers(request.path))
        return response

    @app.get("/")
    def show_page() -> Response:
        return Response(page.render(console.board.channels()), content_type="text/html; charset=utf-8")

    @app.get("/favicon.svg", defaults={"name": "favicon.svg"})
    @app.get("/static/<name>")
    def file(name: str) -> Response:
        found = page.static_file(name)
        if found is None:
            raise Answered(HTTPStatus.NOT_FOUND, f"there is no file {name}")
        return Response(found[0], content_type=found[1])

    @app.get("/files/<name>")
    def picture(name: str) -> Response:
        found = console.stack.slack.workspace.picture(name)
        if found is None:
            raise Answered(HTTPStatus.NOT_FOUND, "there is no such picture")
        return Response(found.content, content_type=found.kind)

    @app.get("/api/deliveries/<path:delivery_id>")
    def delivery(delivery_id: str) -> Response:
        act = partial(console.details.of, delivery_id, whole="short" not in request.args)
        found = answer(act)
        if found is None:
            raise Answered(HTTPStatus.NOT_FOUND, "no such delivery is known")
        return _json(found)

    @app.get("/api/issue")
    def issue() -> Response:
        named = request.args.get("repository", ""), request.args.get("number", "")
        if not named[1].isascii() or not named[1].isdigit() or len(named[1]) > 18:
            raise Answered(HTTPStatus.BAD_REQUEST, "give repository=OWNER/NAME and number=N")
        return _json(answer(partial(console.warehouse.issue, named[0], int(named[1]))))

    @app.get("/api/numbers")
    def numbers() -> Response:
        return _json(answer(console.warehouse.numbers))

    @app.get("/report")
    def report() -> Response:
        return Response(answer(console.warehouse.report), content_type="text/html; charset=utf-8")

    @app.get("/api/sql/examples")
    def examples() -> Response:
        return _json([{"title": title, "sql": sql} for title, sql in EXAMPLES.items()])

    @app.post("/api/sql")
    def ask() -> Response:
        return _json(answer(partial(console.warehouse.ask, read_object(request).get("sql"))))

    @app.post("/api/simulate")
    def simulate() -> Response:
        done = answer(partial(console.simulator.carry_out, read_object(request)))
        return _json(done.as_json())

    @app.post("/api/break")
    def break_() -> Response:
        wanted = read_object(request)
        text = console.switches.turn(wanted.get("part"), wanted.get("how"))
        return _json({"text": text, "switches": console.switches.as_json()})

    @app.post("/api/reconcile")
    def reconcile() -> Response:
        return _json(answer(console.nets.reconcile))

    @app.post("/api/dead-letters/replay")
    def replay() -> Response:
        return _json(answer(console.nets.replay))

    @app.get("/api/state")
    def state() -> Response:
        return _json(console.board.state())

    @app.get("/api/stream")
    def events() -> Response:
        since = request.headers.get("Last-Event-ID") or request.args.get("since", "")
        number = int(since) if since.isascii() and since.isdigit() and len(since) < 16 else console.board.last
        return Response(stream(console.board, number, console.stopping), content_type=EVENT_STREAM)

    return app


def read_object(sent: Request) -> Json:
    """Return the JSON object of a POST. Raises Answered."""
    try:
        return parse_payload(sent.get_data())
    except Malformed as error:
        raise Answered(HTTPStatus.BAD_REQUEST, f"the body must be a JSON object: {error}") from error


def _json(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content, default=str), status, content_type="application/json")
