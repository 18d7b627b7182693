"""The demo's outcome: its ledger, and whether it balances."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from local.demo import run as demo
from local.demo.ledger import Entry, balance
from local.demo.scenario import Step, scenario
from local.terminal import Terminal


def answer(step: Step) -> Any:
    """Return ingest's answer."""
    return SimpleNamespace(status_code=200 if step.is_ping else 401 if step.forged else 202)


@pytest.fixture
def steps() -> list[Step]:
    """Return the scenario."""
    return scenario(datetime.now(UTC))


@pytest.fixture
def stack(steps: list[Step]) -> Any:
    """Return a stack in which everything has arrived."""
    accepted = [step for step in steps if not (step.is_ping or step.forged)]
    handled = [{"outcome": "already_handled" if step.repeats else "posted"} for step in accepted]
    cards = [None for step in accepted if step.makes_card and not step.repeats]
    replies = ["1.0" for step in accepted if step.makes_reply]
    messages = [SimpleNamespace(thread_ts=thread) for thread in [*cards, *replies]]
    return SimpleNamespace(
        handled=lambda _: handled,
        query=lambda _: [{"delivery": 1}] * sum(not step.repeats for step in accepted),
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
