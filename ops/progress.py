"""The progress of a long command, on stderr: bars with an estimate on a terminal, else lines."""

import itertools
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import click

PARTS = 1000  # the length of a bar
LINE_SECONDS = 10.0  # without a terminal, the least time between two lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The progress of a stage: `done` is from 0.0 to 1.0, `text` says what was done, as 1,200 issues."""

    stage: str
    done: float
    text: str


class Progress:
    """Shows the stages of a command, one after another."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._in_bar = False

    def say(self, text: str) -> None:
        """Print a line, below the bar if there is one."""
        if self._in_bar:
            click.echo(err=True)
        click.echo(text, err=True)

    def waiting(self, reason: str, until: datetime) -> None:
        """Print why the command waits, and until when."""
        seconds = (until - datetime.now(UTC)).total_seconds()
        self.say(f"{reason}; continuing at {until:%H:%M:%S} UTC (in {max(seconds, 0):,.0f} s).")

    def show(self, steps: Iterable[Step]) -> None:
        """Take every step, and end each stage with a line that says what was done."""
        for stage, group in itertools.groupby(steps, key=lambda step: step.stage):
            text = self._show_stage(stage, group)
            click.echo(f"{stage}: {text}", err=True)

    def _show_stage(self, stage: str, steps: Iterable[Step]) -> str:
        position, text, said = 0, "", time.monotonic()
        with click.progressbar(
            length=PARTS,
            label=stage,
            item_show_func=lambda item: item,
            file=sys.stderr,
            hidden=not self._terminal,
        ) as bar:
            self._in_bar = self._terminal
            try:
                for step in steps:
                    text = step.text
                    moved = max(int(step.done * PARTS) - position, 0)
                    position += moved
                    bar.update(moved, text)
                    if not self._terminal and time.monotonic() - said > LINE_SECONDS:
                        said = time.monotonic()
                        click.echo(f"{stage} ({step.done:.0%}): {text}", err=True)
            finally:
                self._in_bar = False
        return text
