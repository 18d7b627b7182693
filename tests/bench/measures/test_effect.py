"""The measure of triage's effect waits for each issue's own label."""

from types import SimpleNamespace
from typing import Any

import pytest

from bench.command import EFFECT, NAMES, parse_names
from bench.functions import WrongAnswer
from bench.measures import effect
from local.github.server import GitHubServer
from ops.send.payload_spec import PayloadSpec


def stack(*, labels: bool) -> Any:
    """Return a stack whose GitHub sets the label on a delivery, or does nothing."""

    def deliver(_hook: Any, _event: str, _guid: str, payload: Any) -> int:
        if labels and payload["action"] == "opened":
            number = payload["issue"]["number"]
            server.act(PayloadSpec(repository=effect.REPOSITORY, number=number, action="labeled"))
        return 202

    server = GitHubServer(send=deliver)
    server.github.installs_app = True
    server.github.set_app_hook(url="https://ingest.example/")
    return SimpleNamespace(github=server, folder="logs")


def test_each_issue_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one time for each issue."""
    monkeypatch.setattr(effect, "APART_SECONDS", 0.0)
    found = effect._measure(stack(labels=True), 3)
    assert len(found) == 3
    assert all(seconds > 0 for seconds in found)


def test_an_issue_without_effect_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """If triage does nothing, the measure fails and names the logs."""
    monkeypatch.setattr(effect, "APART_SECONDS", 0.0)
    monkeypatch.setattr(effect, "PATIENCE_SECONDS", 0.05)
    with pytest.raises(WrongAnswer, match="0 of 2 issues; its log is in logs"):
        effect._measure(stack(labels=False), 2)


def test_it_is_measured_only_by_its_name() -> None:
    """A default run leaves it out."""
    context: Any = None
    assert EFFECT not in NAMES
    assert parse_names(context, context, None) == NAMES
    assert parse_names(context, context, "effect") == (EFFECT,)
