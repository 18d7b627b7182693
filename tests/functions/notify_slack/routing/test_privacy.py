"""A repository that may be private is named only where a private one is shown anyway."""

from typing import Any

import pytest

from functions.notify_slack.routing import privacy
from ops.send import payloads
from tests.functions.notify_slack.routing.support import issue_event
from tests.support.messages import an_issue

PUBLIC, PRIVATE = {"private": False}, {"private": True}


@pytest.mark.parametrize(
    ("repository", "expected"),
    [(PUBLIC, False), (PRIVATE, True), ({}, True), (None, True), ([], True), ({"private": "no"}, True)],
)
def test_only_a_repository_that_says_so_is_public(repository: Any, *, expected: bool) -> None:
    """A repository that does not say whether it is private counts as private."""
    assert privacy.may_be_private(repository) is expected


@pytest.mark.parametrize(
    ("here", "there", "hidden"),
    [
        (PUBLIC, PUBLIC, False),
        (PUBLIC, PRIVATE, True),
        (PUBLIC, {}, True),
        (PUBLIC, None, True),
        (PRIVATE, PRIVATE, False),
        (PRIVATE, PUBLIC, False),
        ({}, PRIVATE, True),
        ({}, PUBLIC, False),
    ],
)
@pytest.mark.parametrize("key", ["old_repository", "new_repository"])
def test_a_private_repository_is_hidden_from_a_public_one(
    here: dict[str, Any], there: dict[str, Any] | None, key: Any, *, hidden: bool
) -> None:
    """Where a public issue is shown, the private repository that it goes to or comes from has no name."""
    payload = {**an_issue().opened().payload, "repository": here, "changes": {key: there}}
    assert privacy.is_hidden(issue_event(payloads.Event(name="issues", payload=payload)), key) is hidden


@pytest.mark.parametrize("changes", [None, [], "x", {}])
def test_a_payload_without_changes_has_none(changes: Any) -> None:
    """Changes of another shape are no changes."""
    payload = {**an_issue().opened().payload, "changes": changes}
    assert privacy.changes(issue_event(payloads.Event(name="issues", payload=payload))) == {}
