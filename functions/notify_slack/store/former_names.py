"""The names that repositories had: a route that names one exactly does not follow its rename."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from threading import Lock

from pipeline.events import IssueEvent

from ..routing.privacy import changes

_MAX_NAMES = 5  # of one repository


class FormerNames:
    """The names under which this instance has heard of the last `limit` repositories, by their ids."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._lock = Lock()
        self._names: OrderedDict[int, tuple[str, ...]] = OrderedDict()  # the newest one first
        self._latest: dict[int, datetime] = {}  # when the repository had its newest name

    def of(self, event: IssueEvent) -> tuple[str, ...]:
        """Return the names that the event's repository had before, and remember the name that it has now.

        A late or replayed event has a name of then; the names that came after it are not former ones.
        """
        if event.repository_id is None or event.repository is None:
            return ()
        before = _before_rename(event)
        with self._lock:
            known, moment = self._names.get(event.repository_id, ()), _moment(event)
            latest = self._latest.get(event.repository_id, moment)
            if moment < latest:
                known = tuple(dict.fromkeys((*known, event.repository)))
                self._names[event.repository_id] = known[:_MAX_NAMES]
                return known[known.index(event.repository) + 1 :]
            names = dict.fromkeys((event.repository, *([before] if before else []), *known))
            self._names[event.repository_id] = tuple(names)[:_MAX_NAMES]
            self._latest[event.repository_id] = max(moment, latest)
            self._names.move_to_end(event.repository_id)
            if len(self._names) > self._limit:
                del self._latest[self._names.popitem(last=False)[0]]
        return tuple(names)[1:]


def _moment(event: IssueEvent) -> datetime:
    """Return which moment the event's payload shows."""
    shown = event.issue.updated_at if event.issue else None
    return max(event.event_at, shown or event.event_at)


def _before_rename(event: IssueEvent) -> str | None:
    """Return the name that a `repository` event replaces: of the repository, or of its owner by a transfer.

    https://docs.github.com/webhooks/webhook-events-and-payloads#repository
    """
    owner, _, name = (event.repository or "").partition("/")
    match event.event, event.action, changes(event):
        case "repository", "renamed", {"repository": {"name": {"from": str(former)}}}:
            return f"{owner}/{former}"
        case "repository", "transferred", {"owner": {"from": Mapping() as account}}:
            for kind in ("organization", "user"):
                match account.get(kind):
                    case {"login": str(login)}:
                        return f"{login}/{name}"
    return None
