"""How an issue comes into a fold, though two instances may write to it at the same moment."""

from collections.abc import Callable
from datetime import datetime

from clients.slack.client import Slack
from pipeline.errors import Unavailable
from pipeline.events import Issue, IssueEvent

from ..cards import burst_message as fold
from ..cards import metadata as index
from ..cards.burst_message import Fold
from ..routing.routes import Hearing
from . import channel_history as search
from .channel_history import Seen, Sleep

_TRIES = 3


class Folding:
    """Writes folds; `now` is the time in UTC."""

    def __init__(self, slack: Slack, github_url: str, now: Callable[[], datetime], sleep: Sleep) -> None:
        self._slack = slack
        self._github_url = github_url
        self._now = now
        self._sleep = sleep

    def join(self, hearing: Hearing, seen: Seen, event: IssueEvent, issue: Issue) -> Fold:
        """Add the issue to the newest fold, and read it back: another instance may have written over it.

        Raises Unavailable when that goes on; the issue may be in no fold then.
        """
        target = seen.open_fold(self._now())
        for _ in range(_TRIES):
            if target is None:
                target = self._begin(hearing, event, issue)
            else:
                message = fold.with_one_more(target, event, issue, self._github_url, self._now())
                self._slack.update(hearing.channel, target.ts, message)
            kept = fold.read(search.message_at(self._slack, hearing.channel, target.ts))
            if kept and index.key(event, issue) in kept.issues:
                return kept
            target = kept
        raise Unavailable("slack_fold_contended", "Another instance keeps writing over the fold.")

    def _begin(self, hearing: Hearing, event: IssueEvent, issue: Issue) -> Fold:
        """Post a fold and return it, or the one that another instance has posted before."""
        now = self._now()
        message = fold.of_one(event, issue, hearing, self._github_url, now)
        ts = self._slack.post(hearing.channel, message)
        messages = search.just_before(self._slack, hearing.channel, ts, self._sleep)
        older = search.oldest_fold(messages, now)
        if older:
            self._slack.delete(hearing.channel, ts)
        return older or fold.as_posted(ts, message)
