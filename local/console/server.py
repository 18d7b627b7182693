"""Serves the playground on loopback, for the stack that runs."""

import threading
from typing import Any, Final, Self

from local.bigquery.front import BigQueryFront
from local.console.api import create_app
from local.console.board import Board
from local.console.details import Details
from local.console.flow import Flow
from local.console.issues_view import IssuesView
from local.console.nets import Nets
from local.console.parts import Parts
from local.console.simulator import MEMBERS, Simulator
from local.console.slack_view import SlackView
from local.console.switches import Switches
from local.console.warehouse import Warehouse
from local.console.week import Week
from local.feed.feed import Feed
from local.http_server import HttpServer
from local.stack.folders import read_team
from local.stack.options import TEAM
from local.stack.stack import Stack

NO_ANSWER: Final = (502, 504)  # of local/github/webhook.py
PORT: Final = 8000  # unless an option names another, or it is taken


class Console:
    """The page of one stack. Use it as a context manager, inside of the feed's.

    `front` stands before the local BigQuery, None if the functions reach it directly.
    """

    def __init__(self, stack: Stack, feed: Feed, front: BigQueryFront | None = None) -> None:
        self.stack = stack
        self.feed = feed
        self.stopping = threading.Event()
        team = read_team(stack.options.environment, TEAM.parent)
        self.switches = Switches(stack, front, feed.tell)
        self.week = Week(stack.github, feed.tell)
        self.simulator = Simulator(stack.github, self.week, {*MEMBERS, *team.logins})
        self.nets = Nets(stack)
        self._flow = Flow(feed, reported=stack.pubsub_server is not None)
        self._parts = Parts(stack, feed, self._flow, self.switches.on)
        self.board = Board(
            feed,
            SlackView(stack.slack.workspace, stack.slack.names),
            IssuesView(self._issues),
            self._row,
        )
        self.warehouse = Warehouse(stack.bigquery_url, team, lambda: feed.last)
        self.details = Details(stack, feed, self.warehouse)
        self._server: HttpServer | None = None

    @property
    def port(self) -> int:
        """Return the port; it must have been started."""
        assert self._server is not None, "the playground was not started"
        return int(self._server.port)

    @property
    def url(self) -> str:
        """Return the address of the page."""
        return f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        self.stack.github.github.hooks.report = self._tell_delivery
        app = create_app(self)
        self._server = self._listen(app)
        self._flow.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopping.set()
        self.week.end()
        self.switches.heal_all()
        assert self._server is not None
        self._server.close()
        self._flow.__exit__()
        self.warehouse.close()

    def _tell_delivery(self, guid: str, event: str, payload: dict[str, Any], code: int) -> None:
        """Tell what became of a delivery of GitHub's; ingest itself says more of one that it has taken."""
        action, issue = payload.get("action"), payload.get("issue") or {}
        text = "GitHub got no answer" if code in NO_ANSWER else f"GitHub was answered {code}"
        self.feed.tell(
            part="github",
            kind="delivered",
            text=text,
            level="info" if code < 300 else "warning",
            delivery_id=guid,
            event=f"{event}.{action}" if action else event,
            repository=(payload.get("repository") or {}).get("full_name"),
            issue=issue.get("number"),
            status=code,
        )

    def _listen(self, app: Any) -> HttpServer:
        chosen = self.stack.options.ports.get("console", PORT)
        try:
            return HttpServer(chosen, app)
        except OSError:
            if "console" in self.stack.options.ports:
                raise
            return HttpServer(0, app)

    def _issues(self) -> dict[str, dict[int, Any]]:
        hosted = list(self.stack.github.github.repositories.values())
        return {each.repository.full_name: dict(each.issues) for each in hosted}

    def _row(self) -> dict[str, Any]:
        return {"parts": self._parts.row(), "switches": self.switches.as_json()}
