"""What the daily digest tells a channel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from clients.slack.blocks import Message
from metrics.waiting import Waiting, WaitingIssue, ranked
from pipeline.team import Team

from . import message
from .entries import select
from .message import MAX_LINES, Readers


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """The waiting issues of a run. `still_waiting` returns an issue as it waits now, None if it does not."""

    issues: Sequence[WaitingIssue]
    team: Team
    readers: Readers
    now: datetime
    still_waiting: Callable[[WaitingIssue], WaitingIssue | None]

    def message(self, _channel: str, globs: Sequence[str]) -> Message | None:
        """Return the message about the repositories that match, None if nobody waits there.

        Only what it names is asked for again; the others are a number.
        """
        team, since = self.team, self.team.digest.since if self.team.digest else None
        others = ranked(select(self.issues, globs, since, team.hours), team.targets, team.hours, self.now)
        named: list[Waiting] = []
        while others and len(named) < MAX_LINES:
            entry = others.pop(0)
            issue = self.still_waiting(entry.issue)
            if issue == entry.issue:
                named.append(entry)
            elif issue is not None:  # it waits for a shorter time than was known, so its place is a later one
                moved = Waiting.of(issue, team.targets, team.hours, self.now)
                others = sorted([*others, moved], key=lambda each: each.rank)
        return message.build(named, others, self.readers)
