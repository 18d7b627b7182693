"""Rows that the queries return, where a row is not a figure by itself."""

from dataclasses import dataclass

from metrics.figures import Week


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
