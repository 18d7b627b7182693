"""Working time is counted in the team's hours, zone and calendar."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.working_hours import ALWAYS, END_OF_DAY, Hours, add_business_time, business_time

BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))
OFFICE = Hours(zone=BERLIN, days=WEEKDAYS, opens=time(9), closes=time(17))
NIGHT = Hours(zone=BERLIN, days=EVERY_DAY, opens=time(0), closes=time(6))
MINUTE = timedelta(minutes=1)


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    """Return a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


# 2026-11-27 is a Friday.
@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-26T10:00", "2026-11-26T12:30", 2.5),
        ("2026-11-26T07:00", "2026-11-26T10:00", 1),  # before opening
        ("2026-11-26T16:00", "2026-11-26T23:00", 1),  # after closing
        ("2026-11-26T16:00", "2026-11-27T10:00", 2),  # across midnight
        ("2026-11-27T16:00", "2026-11-30T10:00", 2),  # over a weekend
        ("2026-11-28T10:00", "2026-11-29T16:00", 0),  # within a weekend
        ("2026-11-26T17:00", "2026-11-27T09:00", 0),  # a night
        ("2026-11-26T12:00", "2026-11-26T10:00", 0),  # the end before the start
        ("2026-11-26T12:00", "2026-11-26T12:00", 0),
        ("2026-12-31T16:00", "2027-01-01T10:00", 2),  # over the end of a year
    ],
)
def test_only_working_hours_count(start: str, end: str, hours: float) -> None:
    """Nights, weekends and what is outside of the opening hours take no working time."""
    assert business_time(at(start), at(end), OFFICE) == timedelta(hours=hours)


def test_a_holiday_is_no_working_day() -> None:
    """A holiday takes no working time, and a Saturday that is one changes nothing."""
    days = frozenset({date(2026, 12, 25), date(2026, 12, 26)})
    hours = Hours(zone=BERLIN, days=WEEKDAYS, opens=time(9), closes=time(17), holidays=days)
    assert business_time(at("2026-12-24T16:00"), at("2026-12-28T10:00"), hours) == timedelta(hours=2)
    assert [hours.is_working_day(date(2026, 12, day)) for day in (24, 25, 26, 27, 28)] == [
        True,
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-28", 6), ("2026-03-29", 5), ("2026-10-24", 6), ("2026-10-25", 7)]
)
def test_a_night_in_which_the_clock_changes_is_as_long_as_it_is(day: str, hours: int) -> None:
    """Midnight to six o'clock has five hours in the spring's night, and seven in the autumn's."""
    start = at(f"{day}T00:00")
    assert business_time(start, at(f"{day}T12:00"), NIGHT) == timedelta(hours=hours)
    assert add_business_time(start, timedelta(hours=hours), NIGHT) == at(f"{day}T06:00")


def test_opening_times_follow_the_clock_of_the_zone() -> None:
    """The office opens at nine by the clock on the wall: at 08:00 UTC in winter, at 07:00 in summer."""
    friday, monday = date(2026, 3, 27), date(2026, 3, 30)
    assert OFFICE.shift(friday)[0] == datetime(2026, 3, 27, 8, tzinfo=UTC)
    assert OFFICE.shift(monday)[0] == datetime(2026, 3, 30, 7, tzinfo=UTC)


def test_an_opening_time_that_the_clock_skips_or_shows_twice() -> None:
    """02:30 is skipped in spring, and counts as 03:30; in autumn the first 02:30 counts."""
    hours = Hours(zone=BERLIN, days=EVERY_DAY, opens=time(2, 30), closes=time(6))
    assert hours.shift(date(2026, 3, 29))[0] == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert hours.shift(date(2026, 10, 25))[0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    santiago = Hours(zone=ZoneInfo("America/Santiago"), days=EVERY_DAY, opens=time(0), closes=END_OF_DAY)
    saturday, sunday = santiago.shift(date(2026, 9, 5)), santiago.shift(date(2026, 9, 6))
    assert saturday[1] == sunday[0] == datetime(2026, 9, 6, 4, tzinfo=UTC)  # midnight is skipped


@pytest.mark.parametrize(
    ("zone", "opens"),
    [
        ("Asia/Kolkata", "2026-11-26T03:30"),
        ("Pacific/Auckland", "2026-11-25T20:00"),
        ("America/Los_Angeles", "2026-11-26T17:00"),
    ],
)
def test_zones_east_and_west(zone: str, opens: str) -> None:
    """A working day is one of the zone's calendar, wherever it is; the moments may have any zone."""
    hours = Hours(zone=ZoneInfo(zone), days=WEEKDAYS, opens=time(9), closes=time(17))
    start = datetime.fromisoformat(opens).replace(tzinfo=UTC)
    assert hours.shift(date(2026, 11, 26)) == (start, start + timedelta(hours=8))
    before, after = start - timedelta(hours=3), start + timedelta(hours=2)
    assert business_time(before, after.astimezone(BERLIN), hours) == timedelta(hours=2)
    assert business_time(start, start + timedelta(days=7), hours) == timedelta(hours=40)


def test_always_is_the_time_by_the_clock() -> None:
    """Without hours every hour counts, over weekends and years."""
    start, end = at("2024-02-28T23:10"), at("2026-11-29T01:20")
    assert business_time(start, end, ALWAYS) == end.astimezone(UTC) - start.astimezone(UTC)
    assert ALWAYS.a_day == timedelta(hours=24)
    assert OFFICE.a_day == timedelta(hours=8)


def test_the_moment_at_which_working_time_has_passed() -> None:
    """It is the earliest such moment: eight hours from nine o'clock are over when the office closes."""
    start = at("2026-11-27T09:00")
    assert add_business_time(start, timedelta(hours=8), OFFICE) == at("2026-11-27T17:00")
    assert add_business_time(start, timedelta(hours=8, minutes=1), OFFICE) == at("2026-11-30T09:01")
    assert add_business_time(at("2026-11-28T12:00"), timedelta(hours=1), OFFICE) == at("2026-11-30T10:00")
    assert add_business_time(start, timedelta(), OFFICE) == start
    assert add_business_time(start, -MINUTE, OFFICE) == start
    years = business_time(start, at("2031-05-05T12:00"), OFFICE)
    assert add_business_time(start, years, OFFICE) == at("2031-05-05T12:00")
    with pytest.raises(OverflowError):
        add_business_time(at("9997-01-01T00:00"), timedelta(days=365), OFFICE)


ZONES = [
    "Europe/Berlin",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "Australia/Lord_Howe",
    "UTC",
]


@st.composite
def cases(draw: st.DrawFn) -> tuple[datetime, datetime, Hours]:
    """Draw hours, and up to four days around a change of the clock or any other moment."""
    opens = draw(st.integers(3, 22))  # no clock of these zones changes after 03:00
    closes = draw(st.integers(opens + 1, 24))
    hours = Hours(
        zone=ZoneInfo(draw(st.sampled_from(ZONES))),
        days=draw(st.frozensets(st.integers(0, 6), min_size=1)),
        opens=time(draw(st.sampled_from([0, opens]))),
        closes=END_OF_DAY if closes == 24 else time(closes),
        holidays=draw(st.frozensets(st.dates(date(2026, 3, 1), date(2026, 4, 10)), max_size=5)),
    )
    around = draw(st.sampled_from(["2026-03-27", "2026-10-23", "2026-04-03", "2026-09-25", "2026-12-30"]))
    start = datetime.fromisoformat(around).replace(tzinfo=UTC) + MINUTE * draw(st.integers(0, 4000))
    return start, start + MINUTE * draw(st.integers(0, 3000)), hours


def is_open(moment: datetime, hours: Hours) -> bool:
    """Return whether work is done in the minute that begins then, by the clock and calendar on the wall."""
    local = moment.astimezone(hours.zone)
    before_closing = hours.closes == END_OF_DAY or local.time() < hours.closes
    return hours.is_working_day(local.date()) and hours.opens <= local.time() and before_closing


@given(cases())
@settings(max_examples=40)
def test_working_time_is_the_number_of_minutes_in_which_work_is_done(
    case: tuple[datetime, datetime, Hours],
) -> None:
    """The result equals the count of all minutes whose local time is within the hours."""
    start, end, hours = case
    minutes = int((end - start) / MINUTE)
    counted = sum(is_open(start + MINUTE * number, hours) for number in range(minutes))
    assert business_time(start, end, hours) == MINUTE * counted


@given(cases(), st.integers(0, 100_000))
@settings(max_examples=40)
def test_adding_working_time_is_the_inverse_of_counting_it(
    case: tuple[datetime, datetime, Hours], minutes: int
) -> None:
    """So much working time lies before the moment that the sum names, and less before any earlier one."""
    start, _, hours = case
    end = add_business_time(start, MINUTE * minutes, hours)
    assert business_time(start, end, hours) == MINUTE * minutes
    if minutes:
        assert business_time(start, end - timedelta(microseconds=1), hours) < MINUTE * minutes
