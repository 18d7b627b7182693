"""How much working time lies between two moments, and when a given amount of it has passed."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import accumulate

END_OF_DAY = time.min  # as `closes`: 24:00
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The hours that count: from `opens` to `closes`, in `zone`, on `days` except `holidays`; Monday is 0.

    They are hours of real time, also on a day on which the clock is changed. If the clock shows `opens` or
    `closes` twice, the first time counts; if it skips one of them, it counts as so much later as the clock
    is moved: 02:30 becomes 03:30.
    """

    zone: tzinfo
    days: frozenset[int]
    opens: time
    closes: time
    holidays: frozenset[date] = frozenset()

    def is_working_day(self, day: date) -> bool:
        """Return whether work is done on this day of the zone's calendar."""
        return day.weekday() in self.days and day not in self.holidays

    def shift(self, day: date) -> tuple[datetime, datetime]:
        """Return when a working day opens and closes, in UTC."""
        last = day + _DAY if self.closes == END_OF_DAY else day
        opens = datetime.combine(day, self.opens, tzinfo=self.zone).astimezone(UTC)
        return opens, datetime.combine(last, self.closes, tzinfo=self.zone).astimezone(UTC)

    @property
    def a_day(self) -> timedelta:
        """Return the length of a working day on which the clock is not changed."""
        closes = _since_midnight(self.closes) or _DAY
        return closes - _since_midnight(self.opens)


ALWAYS = Hours(zone=UTC, days=frozenset(range(7)), opens=time.min, closes=END_OF_DAY)


def business_time(start: datetime, end: datetime, hours: Hours) -> timedelta:
    """Return the working time from `start` to `end`; none if the end is before the start.

    Both need a time zone, which may be any.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    first, last = start.astimezone(hours.zone).year, end.astimezone(hours.zone).year
    years = (_year(number, hours) for number in range(first, last + 1))
    return max(sum((year.until(end) - year.until(start) for year in years), timedelta()), timedelta())


def add_business_time(start: datetime, amount: timedelta, hours: Hours) -> datetime:
    """Return the first moment, in UTC, at which that much working time has passed since `start`.

    Raises OverflowError if that is after the year 9998.
    """
    start = start.astimezone(UTC)
    if amount <= timedelta():
        return start
    first = start.astimezone(hours.zone).year
    left = _year(first, hours).until(start) + amount
    for number in range(first, 9999):
        year = _year(number, hours)
        if left <= year.passed[-1]:
            index = bisect_left(year.passed, left) - 1
            return year.opens[index] + left - year.passed[index]
        left -= year.passed[-1]
    raise OverflowError("there is not so much working time until the year 9998")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Year:
    """When each working day opens and closes; `passed` is the working time before each, then that of all."""

    opens: list[datetime]
    closes: list[datetime]
    passed: list[timedelta]

    def until(self, moment: datetime) -> timedelta:
        """Return the year's working time before a moment in UTC."""
        index = bisect_right(self.opens, moment) - 1
        if index < 0:
            return timedelta()
        return self.passed[index] + min(moment, self.closes[index]) - self.opens[index]


@lru_cache(maxsize=256)
def _year(year: int, hours: Hours) -> _Year:
    """Return a year of the zone's calendar. Years are kept, so that many long intervals take little time."""
    first = date(year, 1, 1)
    days = (first + _DAY * number for number in range((date(year + 1, 1, 1) - first).days))
    shifts = [hours.shift(day) for day in days if hours.is_working_day(day)]
    lengths = (closes - opens for opens, closes in shifts)
    return _Year(
        opens=[opens for opens, _ in shifts],
        closes=[closes for _, closes in shifts],
        passed=list(accumulate(lengths, initial=timedelta())),
    )


def _since_midnight(moment: time) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second)
