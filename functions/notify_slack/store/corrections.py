"""What this instance knows to be edited or deleted at GitHub: a late event must not bring it back."""

from collections import OrderedDict
from dataclasses import replace
from threading import Lock

from pipeline.events import Comment

from ..routing.eligibility import CardEvent
from ..routing.routes import Destination

_MAX_BODY = 4_000  # characters; no reply shows that much


class Corrections:
    """The last `limit` edited comments, deleted comments and deleted issues.

    Slack has no place for them if they arrive before the event that they correct: there is no message yet.
    """

    def __init__(self, limit: int = 1_000) -> None:
        self._limit = limit
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, int | None], Comment | None] = OrderedDict()  # None: deleted

    def note(self, event: CardEvent) -> None:
        """Remember the event if it edits or deletes; a deletion is final, and a later edit replaces one."""
        comment = event.received.comment
        if event.is_deletion:
            self._remember((event.key, None), None)
        elif event.is_correction and comment and comment.id is not None:
            self._remember((event.key, comment.id), None if event.is_comment_deletion else comment)

    def apply(self, event: CardEvent, destination: Destination) -> tuple[CardEvent, Destination]:
        """Return the event with the words that it has now, and no reply or card for what was deleted."""
        comment = event.received.comment
        with self._lock:
            if (event.key, None) in self._known and not event.is_deletion:
                return event, replace(destination, makes_card=False, replies=False)
            key = (event.key, comment.id if comment else None)
            if comment is None or event.is_correction or key not in self._known:
                return event, destination
            edited = self._known[key]
        if edited is None:
            return event, replace(destination, replies=False)
        return replace(event, received=replace(event.received, comment=edited)), destination

    def _remember(self, key: tuple[str, int | None], comment: Comment | None) -> None:
        with self._lock:
            before = self._known.get(key)
            if key in self._known and (before is None or (comment and _is_older(comment, before))):
                return
            self._known[key] = replace(comment, body=(comment.body or "")[:_MAX_BODY]) if comment else None
            self._known.move_to_end(key)
            if len(self._known) > self._limit:
                self._known.popitem(last=False)


def _is_older(comment: Comment, other: Comment) -> bool:
    return bool(comment.updated_at and other.updated_at and comment.updated_at < other.updated_at)
