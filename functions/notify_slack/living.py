"""One event and one channel: the card is found or posted, its thread is told, the card is brought up to date.

Slack knows no transactions, so the order of the calls is what keeps a crash harmless: each call leaves a
state from which the next delivery of the same event goes on. The delivery id of a post is in it at once; that
of an update comes after its reply. So an id on the card means that its reply is in the thread too, unless
it is the first: that of the post.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.events import Issue, IssueEvent

from . import card, index, reply, search
from .index import Found
from .message import Message
from .routes import Hearing
from .slack import Slack
from .turns import Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was done, as a log says it, and where the card is."""

    done: str
    ts: str
    replied: bool


def _now() -> datetime:
    return datetime.now(UTC)


class Living:
    """Keeps one card per issue and channel. Two instances may meet at one issue; two threads take turns."""

    def __init__(self, slack: Slack, github_url: str, now: Callable[[], datetime] = _now) -> None:
        self._slack = slack
        self._github_url = github_url
        self._now = now
        self._turns = Turns()

    def handle(self, hearing: Hearing, event: IssueEvent, issue: Issue) -> Outcome:
        """Show the event in the channel. Raises Unavailable; handling it again then does what is missing."""
        with self._turns.turn((hearing.channel, index.key(event, issue))):
            return self._handle(hearing, event, issue)

    def _handle(self, hearing: Hearing, event: IssueEvent, issue: Issue) -> Outcome:
        found = self._find(hearing, event, issue)
        if found is None and hearing.leaving:
            return Outcome(done="No card to change", ts="", replied=False)
        if found is None:
            ts = self._slack.post(hearing.channel, card.build(event, issue, hearing, self._github_url))
            found = self._before(hearing, event, issue, ts)
            if found is None:
                replied = self._reply(hearing, ts, event, issue, replies=0)
                return Outcome(done="Posted", ts=ts, replied=replied)
        return self._refresh(hearing, found, event, issue)

    def _find(self, hearing: Hearing, event: IssueEvent, issue: Issue) -> Found | None:
        """Return the oldest card; a younger one that an earlier attempt at this event left is removed."""
        found = search.cards(self._slack, hearing.channel, index.key(event, issue), issue, self._now())
        for younger in found[1:]:
            if younger.deliveries[:1] == (event.delivery_id,):
                self._slack.delete(hearing.channel, younger.ts)
        return found[0] if found else None

    def _before(self, hearing: Hearing, event: IssueEvent, issue: Issue, ts: str) -> Found | None:
        """Return the card that another instance posted before ours at `ts`, which then is removed."""
        found = search.older(self._slack, hearing.channel, index.key(event, issue), ts)
        if found is not None:
            self._slack.delete(hearing.channel, ts)
        return found

    def _refresh(self, hearing: Hearing, found: Found, event: IssueEvent, issue: Issue) -> Outcome:
        known = event.delivery_id in found.deliveries
        replied = False
        if not known or event.delivery_id == found.deliveries[0]:
            replied = self._reply(hearing, found.ts, event, issue, replies=found.replies)
        if known:
            return Outcome(done="Handled before", ts=found.ts, replied=replied)
        newer, metadata = index.supersedes(event, issue, found), index.of_update(event, issue, found)
        shown = card.build(event, issue, hearing, self._github_url, found) if newer else found
        blocks = shown.blocks if newer else card.closed_late(found, event, issue)
        message = Message(text=shown.text, blocks=blocks, metadata=metadata)
        self._slack.update(hearing.channel, found.ts, message)
        return Outcome(done="Updated" if newer else "Recorded", ts=found.ts, replied=replied)

    def _reply(self, hearing: Hearing, ts: str, event: IssueEvent, issue: Issue, *, replies: int) -> bool:
        """Post the event's reply, if one is due and not there; an empty thread need not be read."""
        due = reply.due(event, issue, hearing, self._github_url) if hearing.replies else None
        if due is None or (
            replies and search.has_reply(self._slack, hearing.channel, ts, event, self._now())
        ):
            return False
        self._slack.post(hearing.channel, due, thread_ts=ts)
        return True
