"""Which repositories may be private, and which of them a message must not name."""

from collections.abc import Mapping
from typing import Any, Literal

from pipeline.events import IssueEvent


def may_be_private(repository: object) -> bool:
    """Return whether a payload's repository may be private: only one that says so is public."""
    return not (isinstance(repository, Mapping) and repository.get("private") is False)


def is_hidden(event: IssueEvent, key: Literal["old_repository", "new_repository"]) -> bool:
    """Return whether the other repository of a transfer must not be named.

    The people in a channel that shows a public issue need not know that a private repository exists.
    """
    return may_be_private(changes(event).get(key)) and not _is_private(event.payload.get("repository"))


def changes(event: IssueEvent) -> Mapping[str, Any]:
    """Return what the payload says about changes, empty if it says nothing."""
    found = event.payload.get("changes")
    return found if isinstance(found, Mapping) else {}


def _is_private(repository: object) -> bool:
    return isinstance(repository, Mapping) and repository.get("private") is True
