"""The demo's outcome: its ledger, and whether it balances."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.demo import run as demo
from local.demo import triage
from local.demo.ledger import Entry, balance
from local.demo.scenario import Step, scenario
from local.github.github_app import LOGIN
from local.github.server import GitHubServer
from local.stack.options import Options
from local.terminal import Terminal
from ops.send.payload_spec import PayloadSpec


def answer(step: Step) -> Any:
    """Return ingest's answer."""
    return SimpleNamespace(status_code=200 if step.is_ping else 401 if step.forged else 202)


@pytest.fixture
def steps() -> list[Step]:
    """Return the scenario."""
    return scenario(datetime.now(UTC))


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    """Return a GitHub that has delivered what triage did."""
    server = GitHubServer(send=lambda *_: 202)
    server.github.installs_app = True
    server.github.set_app_hook(url="https://ingest.example/")
    issue = {"repository": "acme/app", "number": 3}
    server.act(PayloadSpec(**issue, title="Dark mode flashes"))  # type: ignore[arg-type]
    for change in ({"action": "labeled"}, {"action": "assigned", "assignee": "mona"}):
        server.act(PayloadSpec(**issue, **change, author=LOGIN))  # type: ignore[arg-type]
    server.github.hooks.wait()
    yield server
    server.stop()


@pytest.fixture
def stack(steps: list[Step], github: GitHubServer, tmp_path: Path) -> Any:
    """Return a stack in which everything has arrived."""
    accepted = [step for step in steps if not (step.is_ping or step.forged)]
    handled = [{"outcome": "already_handled" if step.repeats else "posted"} for step in accepted]
    handled += [{"outcome": "updated"}, {"outcome": "replied"}]
    cards = [None for step in accepted if step.makes_card and not step.repeats]
    replies = ["1.0", *("1.0" for step in accepted if step.makes_reply)]
    messages = [SimpleNamespace(thread_ts=thread) for thread in [*cards, *replies]]
    return SimpleNamespace(
        handled=lambda _: handled,
        log_lines=lambda _: [{"result": "done"}] * 2 + [{"result": "would"}, {"reason": "no_rule_matches"}],
        query=lambda _: [{"delivery": 1}] * (2 + sum(not step.repeats for step in accepted)),
        github=github,
        options=triage.prepare(Options(state=tmp_path)),
        slack=SimpleNamespace(messages=messages),
        ingest_url="",
    )


def uneven(stack: Any, steps: list[Step]) -> Mapping[str, tuple[int, int]]:
    """Return the entries that do not balance, each with what was found and what is expected."""
    entries = balance(stack, steps, [answer(step) for step in steps], len(stack.query("")))
    return {entry.name: (entry.found, entry.expected) for entry in entries if entry.found != entry.expected}


def test_the_ledger_names_what_is_missing(stack: Any, steps: list[Step]) -> None:
    """If everything has arrived, all lines balance; a missing card, row or delivery is in its own line."""
    assert uneven(stack, steps) == {}
    rows = len(stack.query(""))
    stack.query = lambda _: [{"delivery": 1}] * (rows - 1)
    assert uneven(stack, steps) == {"rows in issue_events": (rows - 1, rows)}
    stack.query = lambda _: [{"delivery": 1}] * rows
    stack.slack.messages = [message for message in stack.slack.messages if message.thread_ts]
    assert uneven(stack, steps) == {"cards in Slack": (0, 4)}


def test_a_bot_that_is_muted_adds_no_reply(stack: Any, steps: list[Step], tmp_path: Path) -> None:
    """With routes that mute every bot, a reply about triage is one too many."""
    own = tmp_path / "own.toml"
    own.write_text('[[route]]\nname = "all"\nchannels = ["C1"]\n\n[defaults]\nmute_authors = ["*[bot]"]\n')
    stack.options = triage.prepare(Options(state=tmp_path, routes=own))
    assert uneven(stack, steps) == {"replies in their threads": (9, 8)}


def test_triage_s_changes_are_expected(stack: Any, steps: list[Step]) -> None:
    """What triage did not do, and what it did in spite of a dry run, is in the ledger."""
    stack.log_lines = lambda _: [{"result": "done"}] * 3
    assert uneven(stack, steps) == {
        "done by triage, each delivered by GitHub": (3, 2),
        "only said by triage (dry run)": (0, 1),
    }


@pytest.mark.parametrize(("found", "digests"), [(4, 1), (3, 1), (4, 0)])
def test_a_demo_balances_with_its_ledger_and_one_digest(
    stack: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: int,
    digests: int,
) -> None:
    """A line that does not balance shows what is expected; without it, and with one digest, the demo does."""
    monkeypatch.setattr(demo, "deliver", lambda _stack, _terminal, step: answer(step))
    monkeypatch.setattr(demo, "show_cards", lambda *_: None)
    monkeypatch.setattr(demo, "as_text", lambda *_, **__: "the digest")
    monkeypatch.setattr(demo, "balance", lambda *_: [Entry("sent", 9, 9), Entry("cards in Slack", found, 4)])
    monkeypatch.setattr(demo.digest, "post", lambda _: ["message"] * digests)
    assert demo.run(stack, Terminal()) is ((found, digests) == (4, 1))
    assert ("expected 4" in capsys.readouterr().out) is (found != 4)
