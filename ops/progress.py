"""How far a long command has come, on stderr: bars with an estimate on a terminal, else lines."""

import itertools
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import click

PARTS = 1000  # a bar's length
LINE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far a stage has come: `done` from 0.0 to 1.0, and what there is to say, such as 1,200 issues."""

    stage: str
    done: float
    text: str


class Progress:
    """Shows stages, one after the other."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._in_bar = False

    def say(self, text: str) -> None:
        """Print a line of its own."""
        if self._in_bar:
            click.echo(err=True)
        click.echo(text, err=True)

    def waiting(self, reason: str, until: datetime) -> None:
        """Say why nothing moves, and when it will."""
        seconds = (until - datetime.now(UTC)).total_seconds()
        self.say(f"{reason}; going on at {until:%H:%M:%S} UTC (in {max(seconds, 0):,.0f} s).")

    def show(self, steps: Iterable[Step]) -> None:
        """Go through the steps; each stage ends with a line of what came of it."""
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
