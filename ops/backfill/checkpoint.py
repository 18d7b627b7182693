"""How far a backfill has come, as one value that is stored as JSON (pure)."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

type ListName = Literal["issues", "comments", "events"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPosition:
    """How far a list has been read: `next` is the URL of the page to read, None for the first page."""

    next: str | None = None
    ended: bool = False
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a topic or a table has confirmed for this `until`: the issues up to `number`.

    `counts` are the deliveries by event.action.
    """

    until: datetime | None
    number: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state of one run.

    `began_at` is GitHub's clock at the first request and becomes the deliveries' received_at. `events_from`
    is the created_at of the oldest event read from the list, `gaps_to` the last issue whose gaps are filled,
    `complete` is true when everything has been read. `delivered` is by the name of the topic or table.
    """

    repository: Mapping[str, Any]
    began_at: datetime
    since: datetime | None
    lists: Mapping[str, ListPosition] = field(default_factory=dict)
    events_from: str = ""
    gaps_to: int = 0
    complete: bool = False
    delivered: Mapping[str, Delivered] = field(default_factory=dict)

    def position(self, name: ListName) -> ListPosition:
        """Return how far a list has been read."""
        return self.lists.get(name, ListPosition())

    def moved(self, name: ListName, position: ListPosition) -> "Checkpoint":
        """Return the checkpoint with another position in a list."""
        return replace(self, lists={**self.lists, name: position})

    def to_json(self) -> str:
        """Return the JSON text that from_json reads."""
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def from_json(cls, text: str) -> "Checkpoint":
        """Read what to_json wrote."""
        values = json.loads(text)
        for place in (values, *values["delivered"].values()):
            for name in {"began_at", "since", "until"} & place.keys():
                place[name] = place[name] and datetime.fromisoformat(place[name])
        lists = {name: ListPosition(**value) for name, value in values["lists"].items()}
        delivered = {name: Delivered(**value) for name, value in values["delivered"].items()}
        return cls(**{**values, "lists": lists, "delivered": delivered})
