"""What has changed since a browser last looked (pure)."""

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

KEPT_GONE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry[Value]:
    """`value` is None once it is gone; `number` and `revision` are those of its last change."""

    value: Value | None
    number: int
    revision: int


class Changes[Key: Hashable, Value]:
    """The newest values, and when each was seen to change: after which happening, and in which revision.

    A change that is seen while happening N is the newest has the number N: a browser that had N may have seen
    it already. Revisions are exact.
    """

    def __init__(self) -> None:
        self.revision = 0
        self._values: dict[Key, _Entry[Value]] = {}
        self._gone: dict[Key, _Entry[Value]] = {}

    def update(self, values: Mapping[Key, Value], gone: AbstractSet[Key], number: int) -> None:
        """Take the values of now. One that is missing and not in `gone` is only shown no longer."""
        changed = {
            key: value
            for key, value in values.items()
            if (known := self._values.get(key)) is None or known.value is not value
        }
        if not changed and not gone and len(values) == len(self._values):
            return
        self.revision += 1
        self._values = {
            key: _Entry(value=value, number=number, revision=self.revision)
            if key in changed
            else self._values[key]
            for key, value in values.items()
        }
        for key in gone:
            self._gone[key] = _Entry(value=None, number=number, revision=self.revision)
        for key in changed.keys() & self._gone.keys():
            del self._gone[key]
        while len(self._gone) > KEPT_GONE:
            del self._gone[next(iter(self._gone))]

    def values(self) -> dict[Key, Value]:
        """Return the values by key."""
        return {key: entry.value for key, entry in self._values.items() if entry.value is not None}

    def since(self, number: int, revision: int) -> dict[Key, Value | None]:
        """Return what has changed since the happening and after the revision, None for what is gone."""
        if revision == self.revision:
            return {}
        return {
            key: entry.value
            for entries in (self._gone, self._values)
            for key, entry in entries.items()
            if entry.number >= number and entry.revision > revision
        }
