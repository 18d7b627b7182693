"""A real terminal gets lines of its width; a file or a pipe gets the same text at any width."""

import io
import re
from datetime import UTC, datetime

import pytest

from local.demo.scenario import scenario
from local.terminal import Terminal

NOW = datetime(2026, 3, 18, tzinfo=UTC)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SENTENCE = "The ledger balances: nothing lost, nothing doubled. Everything is stopped."


class Screen(io.StringIO):
    """A real terminal."""

    def isatty(self) -> bool:
        """Return what a terminal returns."""
        return True


def show(terminal: Terminal) -> None:
    """Print a little of everything."""
    terminal.line(SENTENCE, "green")
    terminal.part("Secret Manager", "functions-framework", 12.3)
    for step in scenario(NOW):
        terminal.delivery(step.event, step.note, 202)
    terminal.entry("Everything else", "../a team's folder of issuewire/endpoints.json")
    terminal.ledger("duplicates that changed no card", 1, 2)
    terminal.table([{"title": "Login fails for <admin> & <!channel> | 500", "state": "open"}] * 2)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_real_terminal_gets_lines_of_its_width(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """At 60 columns too, no line of the demo is wider, and every word is whole."""
    monkeypatch.setenv("COLUMNS", str(width))
    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    show(Terminal())
    printed = CONTROL.sub("", screen.getvalue())
    assert max(map(len, printed.splitlines())) <= width
    assert SENTENCE in " ".join(printed.split())
    assert any("../a team's folder of issuewire/endpoints.json" in line for line in printed.splitlines())
    assert {word for step in scenario(NOW) for word in step.note.split()} <= set(printed.split())


def test_an_error_is_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real terminal an error's sentences fit with click's word before them; a log's lines stay."""
    monkeypatch.setenv("COLUMNS", "40")
    text = f"ingest ended by itself 4 times in a minute.\n    {'x ' * 30}"
    for name in ("sys.stdout", "sys.stderr"):
        monkeypatch.setattr(name, Screen())
    assert Terminal().error(text) == f"ingest ended by itself 4 times in\n    a minute.\n    {'x ' * 30}"
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert Terminal().error(text) == text


def test_a_pipe_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal the text depends on neither COLUMNS nor FORCE_COLOR, and holds no control codes."""
    printed = []
    for width, color in (("60", "1"), ("200", "")):  # what rich reads
        monkeypatch.setenv("COLUMNS", width)
        monkeypatch.setenv("FORCE_COLOR", color)
        pipe = io.StringIO()
        monkeypatch.setattr("sys.stdout", pipe)
        show(Terminal())
        printed.append(pipe.getvalue())
    assert printed[0] == printed[1]
    assert SENTENCE in printed[0].splitlines()
    assert "\x1b" not in printed[0]
