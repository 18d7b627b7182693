"""How long an issue was open with each label, in plain Python: it goes through time once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class LabelClock:
    """Counts for the labels that the issue carries, while it is open."""

    at: datetime
    is_open: bool = True
    labels: frozenset[str] = frozenset()
    spent: dict[str, timedelta] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)

    def go_to(self, moment: datetime) -> None:
        """Let time pass."""
        if self.is_open:
            for label in self.labels:
                self.spent[label] += max(moment - self.at, timedelta())
        self.at = max(self.at, moment)

    def show(self, labels: Iterable[str], *, is_open: bool) -> None:
        """Set what the issue is from now on."""
        self.labels, self.is_open = frozenset(labels), is_open
        for label in self.labels:
            self.spent.setdefault(label, timedelta())
        running = self.labels if is_open else frozenset()
        self.since = {label: self.since.get(label, self.at) for label in running}


def label_clock(
    events: list[Row], opened_at: datetime, turns: list[tuple[datetime, str]], end: datetime
) -> LabelClock:
    """Return the clock at the end: now, or when the issue left; `turns` are its changes of state.

    Each event shows the labels at its issue_updated_at. A label is known from the first event that shows it.
    """
    steps: list[tuple[datetime, int, Any]] = [(moment, 0, state) for moment, state in turns]
    steps += [(event["issue_updated_at"], 1, event["issue_labels"]) for event in events]
    clock = LabelClock(at=opened_at)
    for moment, kind, value in sorted(steps, key=lambda step: step[0]):
        clock.go_to(min(moment, end))
        if kind == 0:
            clock.show(clock.labels, is_open=value == "open")
        else:
            clock.show(value, is_open=clock.is_open)
    clock.go_to(end)
    return clock
