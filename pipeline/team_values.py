"""The values in config/team.toml: days, times of day, zones, dates, durations. Each raises ValueError."""

import re
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.working_hours import END_OF_DAY

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OF_THIS_MACHINE = {"localtime", "posixrules", "Factory"}  # files of zoneinfo that are no zones
_DURATION = re.compile(r"(\d{1,4}(?:\.\d{1,2})?)([mhd])", re.ASCII)


def weekday(text: str) -> int:
    """Return the number of a weekday such as "Mon", which is 0."""
    return WEEKDAYS.index(text.strip().capitalize())


def days(text: str) -> frozenset[int]:
    """Return the weekdays of "Mon-Fri", "Sun-Thu" or "Mon, Wed"; a range may pass the end of the week."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        start = weekday(first)
        length = (weekday(last) - start) % 7 if "-" in part else 0
        found |= {(start + offset) % 7 for offset in range(length + 1)}
    return frozenset(found)


def clock(text: str) -> time:
    """Return the time of a text such as "09:00"."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return time(int(found[1]), int(found[2]))


def closing(text: str) -> time:
    """Return the time of a text such as "17:00" or "24:00"."""
    return END_OF_DAY if text == "24:00" else clock(text)


def day(text: str) -> date:
    """Return the date of a text such as "2026-12-25"."""
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def duration(text: str, a_day: timedelta) -> timedelta:
    """Return the duration of "90m", "8h" or "2d", in days of that length; it is longer than zero."""
    found = _DURATION.fullmatch(text)
    amount = float(found[1]) if found else 0.0
    if found is None or not amount:
        raise ValueError(text)
    return {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": a_day}[found[2]] * amount


def zone(name: str) -> ZoneInfo:
    """Return the zone of a name such as "Europe/Berlin", which BigQuery and Cloud Scheduler know too."""
    if name in _OF_THIS_MACHINE or name.startswith(("posix/", "right/")):
        raise ValueError(name)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:  # OSError: the name of a folder, such as "Europe"
        raise ValueError(name) from error
