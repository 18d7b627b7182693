"""Serves the playground on loopback, for the stack that runs."""

import threading
from typing import Any, Final, Self

from local.console.api import create_app
from local.console.board import Board
from local.console.flow import Flow
from local.console.issues_view import IssuesView
from local.console.parts import Parts
from local.console.slack_view import SlackView
from local.console.switches import Switches
from local.feed.feed import Feed
from local.http_server import HttpServer
from local.stack.stack import Stack

PORT: Final = 8000  # unless an option names another, or it is taken


class Console:
    """The page of one stack. Use it as a context manager, inside of the feed's."""

    def __init__(self, stack: Stack, feed: Feed) -> None:
        self.stack = stack
        self.feed = feed
        self.stopping = threading.Event()
        self.switches = Switches(stack)
        self._flow = Flow(feed, reported=stack.pubsub_server is not None)
        self._parts = Parts(stack, feed, self._flow, self.switches.on)
        self.board = Board(
            feed,
            SlackView(stack.slack.workspace, stack.slack.names),
            IssuesView(dict),
            self._row,
        )
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
        app = create_app(self)
        self._server = self._listen(app)
        self._flow.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopping.set()
        assert self._server is not None
        self._server.close()
        self._flow.__exit__()

    def _listen(self, app: Any) -> HttpServer:
        chosen = self.stack.options.ports.get("console", PORT)
        try:
            return HttpServer(chosen, app)
        except OSError:
            if "console" in self.stack.options.ports:
                raise
            return HttpServer(0, app)

    def _row(self) -> dict[str, Any]:
        return {"parts": self._parts.row(), "switches": self.switches.as_json()}
