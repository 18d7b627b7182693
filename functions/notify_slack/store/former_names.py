"""The names that repositories had: a route that names one exactly does not follow its rename."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock

from pipeline.events import IssueEvent

from ..routing.privacy import changes

_MAX_NAMES = 5  # of one repository


class FormerNames:
    """The names under which this instance has heard of the last `limit` repositories, by their ids."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._lock = Lock()
        self._names: OrderedDict[int, tuple[str, ...]] = OrderedDict()

    def of(self, event: IssueEvent) -> tuple[str, ...]:
        """Return the other names of the event's repository, and remember the name that it has now."""
        if event.repository_id is None or event.repository is None:
            return ()
        before = _before_rename(event)
        with self._lock:
            known = self._names.get(event.repository_id, ())
            names = dict.fromkeys((event.repository, *([before] if before else []), *known))
            self._names[event.repository_id] = tuple(names)[:_MAX_NAMES]
            self._names.move_to_end(event.repository_id)
            if len(self._names) > self._limit:
                self._names.popitem(last=False)
        return tuple(names)[1:]


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
