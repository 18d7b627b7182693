"""How an issue comes into a fold, though two instances may write to it at the same moment."""

from collections.abc import Callable
from datetime import datetime

from pipeline.errors import Unavailable
from pipeline.events import Issue, IssueEvent

from . import fold, index, search
from .fold import Fold
from .recent import Posted
from .routes import Hearing
from .search import Seen
from .slack import Slack

_TRIES = 3


class Folding:
    """Writes folds, and keeps in `posted` where the newest of each channel is; `now` is the time in UTC."""

    def __init__(self, slack: Slack, github_url: str, posted: Posted, now: Callable[[], datetime]) -> None:
        self._slack = slack
        self._github_url = github_url
        self._posted = posted
        self._now = now

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
        older = search.older_fold(self._slack, hearing.channel, ts, now)
        if older:
            self._slack.delete(hearing.channel, ts)
            return older
        self._posted.keep((hearing.channel, fold.FOLD), ts, now)
        return fold.as_posted(ts, message)
