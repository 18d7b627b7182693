"""triage beside a GitHub in this process, which has acme/app and our App; a clock that only waiting moves.

A test may let people do things, answers get lost, and the process end between any two requests.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import requests

from clients.github.client import GitHubClient
from clients.github.issue_actions import IssueActions
from clients.github.settings import GitHubSettings
from functions.triage.actions import carry_out
from functions.triage.outcome import Outcome
from functions.triage.rules import Rule, decide
from functions.triage.time_limit import TimeLimit
from local.github.github_app import APP_ID, LOGIN, private_key
from local.github.server import GitHubServer
from ops.send.payload_spec import PayloadSpec
from ops.send.payloads import Event
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from pipeline.team import Team
from tests.functions.reconcile.rig import API, InProcess

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
TEAM = Team(logins=("mona", "kim"))


class Crash(BaseException):
    """The process ends."""


class Wire(InProcess):
    """The way to GitHub: `before` is called with each request; it may raise, or ask for its answer's loss."""

    def __init__(self, server: GitHubServer, rig: "Rig") -> None:
        super().__init__(server.create_app(), rig, 0.01)  # type: ignore[arg-type]
        self.before: Callable[[requests.PreparedRequest], bool] = lambda _: True
        self.known: dict[str, requests.Response] | None = None

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        """Return the answer, unless it is lost; with `known`, the last one until something is written."""
        if self.known is not None and request.method == "GET":
            url = str(request.url)
            if url not in self.known:
                self.known[url] = super().send(request, **more)
            return self.known[url]
        if self.known is not None:
            self.known.clear()
        is_answered = self.before(request)
        answer = super().send(request, **more)
        if not is_answered:
            raise requests.ConnectionError
        return answer


class Rig:
    """GitHub and the function. `outcomes` are those of all deliveries; `client` is that of the process."""

    def __init__(self, folder: Path, *rules: Rule) -> None:
        self.rules: Sequence[Rule] = rules
        self.now = NOON
        self.server = GitHubServer(send=lambda *_: 202)
        self.github = self.server.github
        self.github.reset_at, self.github.remaining = 10.0**10, 10**9
        self.github.host("acme/app")
        self.installation = self.github.app.install("acme", permissions={"issues": "write"})
        key_file = folder / "key.pem"
        key_file.write_text(private_key())
        environment = {"GITHUB_APP_ID": str(APP_ID), "GITHUB_APP_KEY_FILE": str(key_file)}
        self.settings = GitHubSettings.from_environment(environment)
        self.wire = Wire(self.server, self)
        self.outcomes: list[Outcome] = []
        self.numbers = iter(range(1, 10_000))
        self.advance(0)
        self.restart()

    def advance(self, seconds: float) -> None:
        """Move the clock, and GitHub's with it."""
        self.now += timedelta(seconds=seconds)
        self.github.now = self.now

    def seconds(self) -> float:
        """Return the time as a number."""
        return self.now.timestamp()

    def restart(self) -> None:
        """Start a process, which knows nothing of the last one."""
        limit = TimeLimit(self.seconds, lambda: self.now)
        client = GitHubClient(self.settings, limit.on_wait, sleep=self.advance, clock=lambda: self.now)
        client._session.mount(API, self.wire)
        self.limit, self.client, self.app = limit, client, IssueActions(client, limit.check)

    # What people do

    def does(
        self, login: str, action: str, number: int = 1, event: str = "issues", **more: Any
    ) -> IssueEvent:
        """Let somebody change an issue, and return the event that GitHub sends."""
        self.advance(2)
        spec = PayloadSpec(event=event, action=action, author=login, number=number, **more)
        guid, made = self.github.act(spec)
        return self.event(guid, made)

    def opens(self, login: str = "octavia", **more: Any) -> IssueEvent:
        """Let somebody open a new issue."""
        return self.does(login, "opened", next(self.numbers), **more)

    def event(self, guid: str, made: Event, **more: Any) -> IssueEvent:
        """Return an event as the function reads it."""
        body = json.dumps(made.payload).encode()
        delivery = Delivery(delivery_id=guid, event=made.name, body=body, received_at=self.now, **more)
        return IssueEvent.from_delivery(delivery)

    # What the function does

    def deliver(self, event: IssueEvent, *, dry_run: bool = False) -> list[Outcome]:
        """Handle a delivery a second later, and return its outcomes. Raises Unavailable."""
        self.advance(1)
        found: list[Outcome] = []
        decision = decide(event, self.rules, TEAM, now=self.now, own_login=None)
        if decision.actions:
            self.limit.start()
            decision = decide(event, self.rules, TEAM, now=self.now, own_login=self.app.own_login())
        if decision.actions:
            report = partial(_report, (found, self.outcomes))
            carry_out(self.app, event, decision.actions, report, dry_run=dry_run)
        return found

    def results(self, event: IssueEvent, **more: Any) -> list[str]:
        """Handle a delivery; return result, and reason if there is one, of each action."""
        return [
            f"{each.result} {each.reason}" if each.reason else each.result
            for each in self.deliver(event, **more)
        ]

    # What is seen afterwards

    def issue(self, number: int = 1) -> dict[str, Any]:
        """Return the issue at GitHub."""
        return self.github.repository("acme/app").issues[number]

    def labels(self, number: int = 1) -> list[str]:
        """Return the names of its labels."""
        return [label["name"] for label in self.issue(number)["labels"]]

    def assignees(self, number: int = 1) -> list[str]:
        """Return the logins of its assignees."""
        return [account["login"] for account in self.issue(number)["assignees"]]

    def own_comments(self, number: int = 1) -> list[str]:
        """Return the bodies of our comments."""
        found = self.github.repository("acme/app").comments_of(number)
        return [comment["body"] for comment in found if comment["user"]["login"] == LOGIN]

    def writes(self) -> list[str]:
        """Return method and end of the path of each request that changed something."""
        return [
            f"{each.method} {each.target.rpartition('/')[2]}"
            for each in self.server.requests
            if each.method != "GET" and "/issues/" in each.target
        ]


def _report(lists: Sequence[list[Outcome]], outcome: Outcome) -> None:
    for each in lists:
        each.append(outcome)
