"""triage: read, decide, act. Returning acknowledges the message; raising has it delivered again."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

import flask
import functions_framework
from cloudevents.http import CloudEvent

from clients.github.client import GitHubClient
from clients.github.issue_actions import IssueActions
from pipeline import logs
from pipeline.errors import Busy, Unavailable
from pipeline.events import IssueEvent
from pipeline.logs import log
from pipeline.once import once
from pipeline.settings import collect_problems, load_at_startup
from pipeline.subscriber import receive
from pipeline.team import Team

from . import rules_file
from .actions import Report, carry_out
from .outcome import WARNINGS, Outcome
from .rules import Decision, Rule, decide
from .settings import Settings
from .table import ActionTable, Row, to_row
from .time_limit import TimeLimit

SUBSCRIPTION = "triage"
TURN_SECONDS = 20.0
GITHUB_SECONDS = (5.0, 10.0)  # to connect, and between two parts of an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The settings, the rules and the team."""

    settings: Settings
    rules: Sequence[Rule]
    team: Team


def read_configuration() -> Configuration:
    """Return everything that is read at start. Raises ConfigurationError naming the problems of all."""
    folder = Path(__file__).parent
    settings, (rules, team) = collect_problems(
        lambda: Settings.from_environment(os.environ),
        lambda: collect_problems(
            lambda: rules_file.read(os.environ, folder), lambda: Team.read(os.environ, folder)
        ),
    )
    return Configuration(settings=settings, rules=rules, team=team)


def connect() -> IssueActions | None:
    """Return the issues as our GitHub App sees them, None without an App. GitHub is not asked yet."""
    settings = configuration().settings.github
    if settings is None:
        return None
    return IssueActions(GitHubClient(settings, limit.on_wait, timeout=GITHUB_SECONDS), limit.check)


logs.setup()
configuration = load_at_startup(read_configuration)
limit = TimeLimit()
github = once(connect)
table = once(lambda: ActionTable(configuration().settings.dataset))
acting = Lock()


@functions_framework.cloud_event
def triage(push: CloudEvent) -> None:
    """Do what the rules say about one message from the topic."""
    event = receive(push.data, SUBSCRIPTION)
    if event is None:
        return
    decision = decided(event, own_login=None)
    if report_nothing(decision):
        return
    with one_line_errors(), reporting(event) as report, one_line_errors():
        act(event, decision, report)


def decided(event: IssueEvent, own_login: str | None) -> Decision:
    """Return what the rules do about the event."""
    rules, team = configuration().rules, configuration().team
    return decide(event, rules, team, now=datetime.now(UTC), own_login=own_login)


def act(event: IssueEvent, decision: Decision, report: Report) -> None:
    """Carry out the actions; without a GitHub App, only report them.

    GitHub is asked for the App's login once there is something to do: its own events trigger nothing.
    """
    app = github()
    if app is None:
        for action in decision.actions:
            report(Outcome(action=action, result="would"))
        return
    with turn():
        decision = decided(event, app.own_login())
        if not report_nothing(decision):
            dry_run = configuration().settings.dry_run
            carry_out(app, event, decision.actions, report, dry_run=dry_run)


@contextmanager
def turn() -> Iterator[None]:
    """Keep GitHub for this delivery alone. Raises Busy if another one has it for long."""
    if not acting.acquire(timeout=TURN_SECONDS):
        raise Busy("triage_busy", "Other deliveries are acted on; this one is delivered again.")
    try:
        limit.start()
        yield
    finally:
        acting.release()


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Log what makes the delivery fail as one line, without a traceback, and have it delivered again."""
    try:
        yield
    except Busy:
        raise
    except Unavailable as error:
        log.error("%s", error, extra={"reason": error.reason})
        flask.abort(500, "Not done")


def report_nothing(decision: Decision) -> bool:
    """Return whether there is nothing to do, and log why."""
    if decision.ignored:
        log.info("Ignored: %s", decision.ignored.text, extra={"reason": decision.ignored.reason})
    elif not decision.matched:
        log.info("Ignored: no rule matches", extra={"reason": "no_rule_matches"})
    elif not decision.actions:
        text = "Nothing to do, although it matches: %s"
        log.info(text, ", ".join(decision.matched), extra={"reason": "no_action"})
    return not decision.actions


@contextmanager
def reporting(event: IssueEvent) -> Iterator[Report]:
    """Log each outcome that is reported, and store all as rows, also if a later action raises."""
    rows: list[Row] = []
    dry_run = configuration().settings.dry_run

    def report(outcome: Outcome) -> None:
        action, reason = outcome.action, {"reason": outcome.reason} if outcome.reason else {}
        fields = {"rule": action.rule, "what": action.what, "value": outcome.value, "result": outcome.result}
        level = logging.WARNING if outcome.result in WARNINGS else logging.INFO
        log.log(level, outcome.sentence, extra=fields | reason)
        rows.append(to_row(event, outcome, datetime.now(UTC), dry_run=dry_run))

    try:
        yield report
    finally:
        if rows:
            table().insert(rows)
