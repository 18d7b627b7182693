"""Rows that the queries return, where a row is not a figure by itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from metrics.figures import Responses, Week


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryWeek(Week):
    """One week of one repository."""

    repository_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryNames:
    """A repository's present name, and every name that its events carry."""

    id: int
    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimesRow(Responses):
    """How long closes or responses (`kind`) took, in the `scope` all, recent, earlier, repository or week."""

    kind: str
    scope: str
    repository_id: int | None
    week: date | None


class Times:
    """The rows of TIMES by their scope."""

    def __init__(self, rows: Iterable[TimesRow]) -> None:
        self._rows = {(row.kind, row.scope, row.repository_id, row.week): row for row in rows}

    def get(
        self, kind: str, scope: str, repository: int | None = None, week: date | None = None
    ) -> Responses:
        """Return how long they took; no cases if there is no row."""
        row = self._rows.get((kind, scope, repository, week), Responses())
        names = ("n", "p50", "p90", "within_24h", "within_72h")
        return Responses(**{name: getattr(row, name) for name in names})
