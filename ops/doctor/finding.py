"""What doctor reports, and what a check is (pure)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a check finds: what is wrong with what, in one sentence, and the command that fixes it."""

    text: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem, and the slug under which docs/operations.md explains it."""

    slug: str
    text: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotChecked:
    """What could not be looked at, why, and what to do; neither healthy nor a fault."""

    what: str
    why: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check[Fact]:
    """`find` yields the problems that one fact of the class `about` shows."""

    slug: str
    about: type[Fact]
    find: Callable[[Fact], Iterator[Problem]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was found, in the order of the facts."""

    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    looked_at: int


def examine(checks: Iterable[Check[Any]], facts: Iterable[object]) -> Report:
    """Apply to each fact the checks that are about its class."""
    checks, facts = tuple(checks), tuple(facts)
    found = [
        Finding(slug=check.slug, text=problem.text, fix=problem.fix)
        for fact in facts
        for check in checks
        if isinstance(fact, check.about)
        for problem in check.find(fact)
    ]
    unknown = tuple(fact for fact in facts if isinstance(fact, NotChecked))
    return Report(findings=tuple(found), not_checked=unknown, looked_at=len(facts) - len(unknown))
