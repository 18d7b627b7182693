"""The conditions that a repository and an issue's labels have to meet, for every file that has them."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Literal

type LabelKey = Literal["labels_any", "labels_all", "labels_none"]


def names_repository(globs: Iterable[str], repository: str | None) -> bool:
    """Return whether a glob matches owner/name in any case. Only a star matches a missing repository."""
    name = (repository or "").lower()
    return any(fnmatchcase(name, glob.lower()) for glob in globs)


def repository_mismatch(globs: Iterable[str], repository: str | None) -> str | None:
    """Return why no glob matches the repository, or None if one does."""
    if names_repository(globs, repository):
        return None
    return (
        f"{repr(repository) if repository else 'the missing repository'} matches none of {', '.join(globs)}"
    )


def label_mismatches(
    labels: Iterable[str], *, any_of: Iterable[str], all_of: Iterable[str], none_of: Iterable[str]
) -> Iterator[tuple[LabelKey, str]]:
    """Yield each key that an issue with these labels does not meet, with the reason; case is ignored."""
    has = lower(labels)
    wanted = lower(any_of)
    if wanted and not has & wanted:
        yield "labels_any", f"the issue has none of the labels {_listed(any_of)}"
    if missing := [label for label in all_of if label.lower() not in has]:
        yield "labels_all", f"the issue lacks {_listed(missing)}"
    if unwanted := [label for label in none_of if label.lower() in has]:
        yield "labels_none", f"the issue has {_listed(unwanted)}"


def lower(names: Iterable[str]) -> frozenset[str]:
    """Return the names in lower case: GitHub's labels and logins are the same in any case."""
    return frozenset(name.lower() for name in names)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
