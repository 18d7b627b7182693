"""Fills the running stack with the year, and says how far it is."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from clients.bigquery import FAILURES, connect, explain
from local.processes import NotReady
from local.seed import cards, warehouse
from local.seed.clock import Clock
from local.seed.year import TEAM_FILE, Sent, year
from local.stack.folders import read_team
from local.stack.options import DATASET, TEAM, Options
from local.stack.stack import Stack
from local.stack.topics import PROJECT
from ops.send.payloads import Event
from pipeline.errors import PipelineError
from pipeline.team import Team

SLACK_WEEKS = timedelta(
    weeks=3
)  # the rows of these weeks keep their payloads, so that they can be sent again
EVERY = 200  # cards between two lines

Say = Callable[[str], None]


def prepare(options: Options, clock: Clock) -> Options:
    """Return the options of a stack to fill: with the year's team, unless config/team.toml sets anything."""
    own = read_team(options.environment, TEAM.parent)
    team = {"TEAM_FILE": str(TEAM_FILE)} if own == Team() else {}
    return replace(options, clock=clock, environment=team | options.environment)


def fill(stack: Stack, clock: Clock, say: Say) -> None:
    """Store the year's issues and rows and post its last cards, unless the warehouse has them.

    Slack itself gets no cards. Raises NotReady.
    """
    began, now = time.monotonic(), datetime.now(UTC)
    since = now - SLACK_WEEKS
    deliveries = list(year(now))
    stack.github.store(*_events(deliveries))
    recent = [sent for sent in deliveries if sent.delivery.received_at >= since]
    client, table = connect(PROJECT, emulator=stack.bigquery_url), f"{PROJECT}.{DATASET}.events"
    try:
        if warehouse.is_loaded(client, table, deliveries[0]):
            say("  The year is there already; nothing is added.")
            return
        _count(warehouse.load(client, table, deliveries, since), len(deliveries), "rows in BigQuery", say)
        if stack.slack_is_real:
            say("  No cards: they would be new messages in your own Slack.")
            return
        steps = cards.post(stack, clock, recent, read_team(stack.options.environment, TEAM.parent))
        _count(steps, len(recent), f"deliveries of the last {SLACK_WEEKS.days // 7} weeks in Slack", say)
    except FAILURES as error:
        raise NotReady(f"The year was not stored: {explain(error)}") from error
    except PipelineError as error:
        raise NotReady(f"The year's cards were not posted: {error}") from error
    finally:
        clock.be_present()
    say(f"  made in {time.monotonic() - began:.0f} s")


def _events(deliveries: Iterable[Sent]) -> Iterator[Event]:
    """Yield what happened at GitHub: each event once, also if it was delivered twice."""
    found = {sent.delivery.delivery_id: sent.delivery for sent in deliveries}
    for delivery in found.values():
        yield Event(name=delivery.event, payload=json.loads(delivery.body))


def _count(steps: Iterable[int], whole: int, what: str, say: Say) -> None:
    shown = 0
    for done in steps:
        if done - shown >= EVERY or done == whole:
            say(f"  {done:>6,} of {whole:,} {what}")
            shown = done
