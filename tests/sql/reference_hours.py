"""Working hours by counting: every quarter of an hour of two years is a working one or not."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

SLOT = timedelta(minutes=15)  # the day begins and ends on one, in every zone
FIRST = datetime(2024, 12, 1, tzinfo=UTC)
SLOTS = 430 * 96


DAYS = {"Sun-Thu": (6, 0, 1, 2, 3), "Mon-Fri": (0, 1, 2, 3, 4)}


@dataclass(frozen=True, kw_only=True)
class OfficeHours:
    """When the team works; `days` counts from 0 for Monday."""

    zone: ZoneInfo
    days: Collection[int]
    opens: time
    closes: time
    holidays: Collection[date] = ()

    def between(self, begin: datetime, end: datetime) -> timedelta:
        """Return how much of the time between the two was working time."""
        return max(self._until(end) - self._until(begin), timedelta())

    def is_working(self, moment: datetime) -> bool:
        """Return whether the team works at that moment."""
        there = moment.astimezone(self.zone)
        is_working_day = there.weekday() in self.days and there.date() not in self.holidays
        return is_working_day and self.opens <= there.time() < self.closes

    def _until(self, moment: datetime) -> timedelta:
        slot, rest = divmod(moment - FIRST, SLOT)
        before = SLOT * self._slots_before[slot]
        return before + rest if self.is_working(FIRST + slot * SLOT) else before

    @cached_property
    def _slots_before(self) -> list[int]:
        return list(accumulate((self.is_working(FIRST + n * SLOT) for n in range(SLOTS)), initial=0))


def office_hours(table: dict[str, Any] | None) -> OfficeHours | None:
    """Return the hours of [hours] in a config/team.toml; None if every hour counts."""
    if table is None:
        return None
    return OfficeHours(
        zone=ZoneInfo(table["zone"]),
        days=DAYS[table["days"]],
        opens=time.fromisoformat(table["from"]),
        closes=time.fromisoformat(table["to"]),
        holidays=[date.fromisoformat(day) for day in table["holidays"]],
    )
