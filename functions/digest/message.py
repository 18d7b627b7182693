"""The daily message: overdue, then due soon, then waiting (pure)."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from clients.slack.blocks import Block, Message, context, header, section
from metrics.waiting import Waiting

from . import phrases

MAX_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """Whom the message is for: Slack ids by login, who is not mentioned, and where links go."""

    github_url: str
    people: Mapping[str, str] = field(default_factory=dict)
    away: Collection[str] = ()


def build(named: Sequence[Waiting], others: Sequence[Waiting], readers: Readers) -> Message | None:
    """Return the message that names at most 15 issues and counts the others; None if nobody waits.

    Both are ranked; the metadata is set where the message is posted.
    """
    if not named:
        return None
    shown, rest = named[:MAX_LINES], [*named[MAX_LINES:], *others]
    by_state = Counter(entry.standing.state for entry in (*shown, *rest))
    notice = phrases.NOTICE.format(headline=phrases.HEADLINE, counts=phrases.counts(by_state))
    blocks = [header(phrases.HEADLINE), context(phrases.counts(by_state)), *_lines(shown, readers)]
    if rest:
        blocks.append(context(phrases.more(len(rest))))
    return Message(text=notice, blocks=tuple(blocks), metadata={})


def _lines(entries: Sequence[Waiting], readers: Readers) -> Iterator[Block]:
    """Yield a heading for each state, and a block for each issue."""
    for state, group in groupby(entries, key=lambda entry: entry.standing.state):
        yield section(phrases.GROUPS[state])
        for entry in group:
            line = phrases.issue(entry.issue, readers.github_url)
            yield section(f"{line}\n{phrases.details(entry, readers.people, readers.away)}")
