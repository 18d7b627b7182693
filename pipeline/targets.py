"""Targets: how soon a waiting issue is to be answered, and where it stands by now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pipeline.conditions import label_mismatches, names_repository
from pipeline.working_hours import Hours, add_business_time, business_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An answer to the issues that match is due after `respond_in`: working time, or any time if `calendar`.

    `warn_at` is the part of it after which an issue is due soon. Without globs every repository matches.
    """

    repositories: tuple[str, ...] = ("*",)
    labels_any: tuple[str, ...] = ()
    labels_all: tuple[str, ...] = ()
    labels_none: tuple[str, ...] = ()
    respond_in: timedelta
    calendar: bool = False
    warn_at: float = 0.75

    def matches(self, repository: str, labels: Iterable[str]) -> bool:
        """Return whether the target is about an issue with these labels; names and labels ignore case."""
        mismatches = label_mismatches(
            labels, any_of=self.labels_any, all_of=self.labels_all, none_of=self.labels_none
        )
        return names_repository(self.repositories, repository) and not any(mismatches)


class State(StrEnum):
    """Where an issue stands, the worst first."""

    OVERDUE = "overdue"
    DUE_SOON = "due_soon"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a waiting issue stands by its target.

    `waited` is working time. `over` is how long it has been overdue, `left` how long it has until it is due,
    both in the target's kind of time: one of them is None, without a target both are, and `due_at` is too.
    """

    state: State
    due_at: datetime | None
    waited: timedelta
    waited_by_the_clock: timedelta
    over: timedelta | None
    left: timedelta | None


def matching(targets: Iterable[Target], repository: str, labels: Iterable[str]) -> Target | None:
    """Return the first target that matches an issue of the repository owner/name, or None."""
    labels = tuple(labels)
    return next((target for target in targets if target.matches(repository, labels)), None)


def standing(waiting_since: datetime, now: datetime, target: Target | None, hours: Hours) -> Standing:
    """Return where an issue stands that has waited since then. Both times need a time zone.

    It is overdue once it has waited for longer than the target, so not yet in the night before the next
    working hour, if the target was used up in the evening.
    """
    waiting_since, now = waiting_since.astimezone(UTC), now.astimezone(UTC)
    waited = business_time(waiting_since, now, hours)
    by_the_clock = max(now - waiting_since, timedelta())
    if target is None:
        return Standing(
            state=State.WAITING,
            due_at=None,
            waited=waited,
            waited_by_the_clock=by_the_clock,
            over=None,
            left=None,
        )
    used = by_the_clock if target.calendar else waited
    due_at = (
        waiting_since + target.respond_in
        if target.calendar
        else add_business_time(waiting_since, target.respond_in, hours)
    )
    state = State.WAITING
    if used > target.respond_in:
        state = State.OVERDUE
    elif used >= target.respond_in * target.warn_at:
        state = State.DUE_SOON
    is_over = state is State.OVERDUE
    return Standing(
        state=state,
        due_at=due_at,
        waited=waited,
        waited_by_the_clock=by_the_clock,
        over=used - target.respond_in if is_over else None,
        left=None if is_over else target.respond_in - used,
    )
