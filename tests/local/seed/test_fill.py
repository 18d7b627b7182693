"""The year in the local BigQuery and in the Slack stand-in."""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from local.github.server import GitHubServer
from local.processes import NotReady
from local.seed import fill as filling
from local.seed import year as years
from local.seed.clock import Clock
from local.seed.fill import fill, prepare
from local.seed.year import Sent, year
from local.slack.server import SlackServer
from local.stack import stack as stacks
from local.stack.options import TOKEN, Options
from local.stack.stack import Stack
from pipeline.team import Team
from tests.support.warehouse import Warehouse


@dataclass(kw_only=True)
class Parts:
    """What `fill` uses of a stack."""

    options: Options
    slack: SlackServer
    bigquery_url: str
    slack_is_real: bool = False
    github: GitHubServer = field(default_factory=GitHubServer)

    @property
    def as_stack(self) -> Stack:
        """Return it as a stack."""
        return cast(Stack, self)


@functools.cache
def some_deliveries() -> tuple[Sent, ...]:
    """Return those of two days of the past and of the year's last two."""
    now = datetime.now(UTC)
    return tuple(sent for sent in year(now) if (now - sent.delivery.received_at).days in {0, 1, 60, 61})


@pytest.fixture
def some(monkeypatch: pytest.MonkeyPatch) -> tuple[Sent, ...]:
    """Let the year have only some deliveries."""
    monkeypatch.setattr(filling, "year", lambda _: iter(some_deliveries()))
    return some_deliveries()


@pytest.fixture
def slack() -> Iterator[tuple[SlackServer, Clock]]:
    """Return an empty Slack and its clock."""
    clock = Clock()
    with SlackServer(token=TOKEN, clock=clock) as server:
        yield server, clock


def test_a_year_fills_bigquery_and_slack_once(
    slack: tuple[SlackServer, Clock],
    some: tuple[Sent, ...],
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each delivery has a row, each issue is at GitHub, recent ones have cards; a second run adds none."""
    monkeypatch.setattr(filling, "DATASET", warehouse.dataset(views=()))
    server, clock = slack
    stack = Parts(options=prepare(Options(), clock), slack=server, bigquery_url=warehouse.url)
    said: list[str] = []
    fill(stack.as_stack, clock, said.append)
    assert f"{len(some)} of {len(some)} rows in BigQuery" in said[0]
    assert "of the last 3 weeks in Slack" in said[-2]

    stored = "SELECT delivery_id, payload IS NULL AS is_empty, received_at FROM `${DATASET}.events`"
    rows = warehouse.query(stored, filling.DATASET)
    assert sorted(row["delivery_id"] for row in rows) == sorted(sent.delivery.delivery_id for sent in some)
    for row in rows:
        assert row["is_empty"] is (datetime.now(UTC) - row["received_at"] > timedelta(days=30))

    messages = stack.slack.messages
    issues = [
        message.metadata["event_payload"]["issue"]
        for message in messages
        if not message.thread_ts and message.metadata
    ]
    assert len(issues) == len(set(issues)) > 5
    received = {sent.delivery.received_at.timestamp() for sent in some}
    assert all(any(0 <= float(message.ts) - at < 30 for at in received) for message in messages)
    assert stack.slack.over_limit == []
    newest = json.loads(some[-1].delivery.body)
    hosted = stack.github.github.repository(newest["repository"]["full_name"])
    assert hosted.issues[newest["issue"]["number"]]["updated_at"] == newest["issue"]["updated_at"]

    fill(stack.as_stack, clock, said.append)
    assert said[-1] == "  The year is there already; nothing is added."
    assert len(warehouse.query(stored, filling.DATASET)) == len(rows)
    assert stack.slack.messages == messages
    assert abs(clock() - datetime.now(UTC).timestamp()) < 60, "the clock shows the present again"


@pytest.mark.usefixtures("some")
def test_slack_itself_gets_no_cards_of_a_made_up_year(
    slack: tuple[SlackServer, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack that posts to Slack itself stores the rows, posts no card, and says so."""
    monkeypatch.setattr(filling.warehouse, "is_loaded", lambda *_: False)
    monkeypatch.setattr(filling.warehouse, "load", lambda *_: ())
    server, clock = slack
    options = prepare(Options(), clock)
    stack = Parts(options=options, slack=server, bigquery_url="http://127.0.0.1:9", slack_is_real=True)
    said: list[str] = []
    fill(stack.as_stack, clock, said.append)
    assert said == ["  No cards: they would be new messages in your own Slack."]
    assert server.requests == []


@pytest.mark.usefixtures("some")
def test_a_slack_that_refuses_is_named(
    slack: tuple[SlackServer, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a card cannot be posted, the stack says that it is not ready."""
    monkeypatch.setattr(filling.warehouse, "is_loaded", lambda *_: False)
    monkeypatch.setattr(filling.warehouse, "load", lambda *_: ())
    server, clock = slack
    server.fail_until_cleared(error="account_inactive")
    stack = Parts(options=prepare(Options(), clock), slack=server, bigquery_url="http://127.0.0.1:9")
    with pytest.raises(NotReady, match="cards were not posted"):
        fill(stack.as_stack, clock, lambda _: None)


def test_the_team_of_the_year_is_used_until_the_own_file_sets_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without config/team.toml, and with one of comments only, the year's own team has answered."""
    monkeypatch.setattr(filling, "TEAM", tmp_path / "team.toml")
    theirs = {"TEAM_FILE": str(years.TEAM_FILE)}
    assert prepare(Options(), Clock()).environment == theirs
    (tmp_path / "team.toml").write_text("# nothing\n")
    assert prepare(Options(), Clock()).environment == theirs
    (tmp_path / "team.toml").write_text('[team]\nlogins = ["octocat"]\n')
    assert prepare(Options(), Clock()).environment == {}
    assert years.team() != Team()


def test_the_clock_of_a_stack_to_fill_is_slack_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The Slack stand-in of a stack dates its messages by the clock of the options."""
    given: list[object] = []
    real = stacks.SlackServer

    def watched(*args: Any, **options: Any) -> SlackServer:
        given.append(options["clock"])
        return real(*args, **options)

    monkeypatch.setattr(stacks, "SlackServer", watched)
    clock = Clock()
    Stack(prepare(Options(state=tmp_path), clock), lambda *_: None).stop()
    assert given == [clock]
