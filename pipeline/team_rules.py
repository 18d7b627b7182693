"""Every rule for the values of config/team.toml, table by table: each problem with its line."""

from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import available_timezones

from pipeline import team_values
from pipeline.file_rules import (
    BOT_LOGIN,
    CHANNEL,
    LOGIN,
    Problem,
    Table,
    did_you_mean,
    labels,
    logins,
    repositories,
    texts,
    unknown_keys,
)
from pipeline.line_numbers import LineNumbers, with_line

TABLES = ("team", "bots", "hours", "target", "digest")
_DAYS = 'days must be weekdays such as "Mon-Fri", "Sun-Thu" or "Mon, Wed"'


def problems(text: str, document: dict[str, Any]) -> Iterator[str]:
    """Yield everything that is wrong with the file, whose text the parser has read as the document."""
    entries = document.get("target", [])
    are_tables = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    lines = LineNumbers.of(text, "target", len(entries) if are_tables else 0)
    for name in (name for name in document if name not in TABLES):
        yield with_line(lines.top, name, f"unknown table {name!r}{did_you_mean(name, TABLES)}")
    bots = _listed(document.get("bots"))
    for name, rule in (
        ("team", lambda table: _of_team(table, bots)),
        ("bots", _of_bots),
        ("hours", _of_hours),
        ("digest", _of_digest),
    ):
        table = document.get(name)
        if isinstance(table, dict):
            for key, problem in rule(table):
                yield with_line(lines.of_table(name), key, f"{name}: {problem}")
        elif table is not None:
            yield with_line(lines.top, name, f"write the {name} as one table [{name}]")
    if not are_tables:
        yield with_line(lines.top, "target", "write each target as [[target]]")
        return
    for number, (entry, of_entry) in enumerate(zip(entries, lines.entries, strict=True), start=1):
        for key, problem in _of_target(entry):
            yield with_line(of_entry, key, f"target {number}: {problem}")


def _of_team(table: Table, bots: frozenset[str]) -> Iterator[Problem]:
    yield from unknown_keys(table, ("logins", "away"))
    yield from logins("logins", table.get("logins", []), LOGIN)
    yield from logins("away", table.get("away", []), LOGIN)
    for login in sorted(_listed(table) & bots):
        yield "logins", f"logins: {login!r} is one of the [bots], too"


def _of_bots(table: Table) -> Iterator[Problem]:
    yield from unknown_keys(table, ("logins",))
    yield from logins("logins", table.get("logins", []), BOT_LOGIN)


def _of_hours(table: Table) -> Iterator[Problem]:
    yield from unknown_keys(table, ("zone", "days", "from", "to", "holidays"))
    yield from _zone(table.get("zone"))
    yield from _value("days", table.get("days", "Mon-Sun"), team_values.days, _DAYS)
    opens, closes = table.get("from", "00:00"), table.get("to", "24:00")
    wrong = [
        *_value("from", opens, team_values.clock, 'from must be a time such as "09:00"'),
        *_value("to", closes, team_values.closing, 'to must be a time such as "17:00" or "24:00"'),
    ]
    yield from wrong
    if not wrong and closes <= opens:
        yield "to", f"to: {closes!r} is not after {opens!r}; a working day ends by 24:00"
    yield from _days("holidays", table.get("holidays", []))


def _of_target(table: Table) -> Iterator[Problem]:
    known = ("repositories", "labels_any", "labels_all", "labels_none", "respond_in", "calendar", "warn_at")
    yield from unknown_keys(table, known)
    yield from repositories(table.get("repositories", ["*"]))
    yield from labels(table, "target")
    yield from _value(
        "respond_in",
        table.get("respond_in"),
        lambda text: team_values.duration(text, timedelta(days=1)),
        'respond_in must be a time such as "90m", "8h" or "2d"',
    )
    if not isinstance(table.get("calendar", False), bool):
        yield "calendar", "calendar must be true or false"
    warn_at = table.get("warn_at", 0)
    if type(warn_at) not in {int, float} or not 0 <= warn_at <= 1:
        yield "warn_at", "warn_at must be a number from 0 to 1"


def _of_digest(table: Table) -> Iterator[Problem]:
    yield from unknown_keys(table, ("channels", "at", "weekly", "since"))
    channels = table.get("channels")
    if not isinstance(channels, dict) or not channels:
        yield "channels", 'channels must be a table such as { "C0123456789" = ["acme/*"] }'
    else:
        for channel, globs in channels.items():
            if not CHANNEL.fullmatch(channel):
                yield "channels", f"channels: {channel!r} is no channel id such as C0123456789"
            for _, problem in repositories(globs):
                yield "channels", f"channels: {channel}: {problem}"
    yield from _value("at", table.get("at", "09:00"), team_values.clock, 'at must be a time such as "09:00"')
    yield from _value(
        "weekly",
        table.get("weekly", "Mon"),
        team_values.weekday,
        f"weekly must be one of {', '.join(team_values.WEEKDAYS)}",
    )
    if "since" in table:
        yield from _value(
            "since", table["since"], team_values.day, 'since must be a date such as "2026-12-01"'
        )


def _value(key: str, value: object, read: Callable[[str], object], problem: str) -> Iterator[Problem]:
    """Yield the problem unless the value is a text that can be read."""
    try:
        is_right = isinstance(value, str) and read(value) is not None
    except ValueError:
        is_right = False
    if is_right:
        return
    if isinstance(value, (date, time)):  # TOML has both without quotes
        yield key, f"{problem}, in quotes"
    else:
        yield key, problem if value is None else f"{problem}, not {value!r}"


def _days(key: str, value: object) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield key, f'{key} must be a list of dates such as "2026-12-25"'
        return
    for day in value:
        yield from _value(key, day, team_values.day, f'{key} must be dates such as "2026-12-25"')


def _zone(name: object) -> Iterator[Problem]:
    if not isinstance(name, str):
        yield "zone", 'zone must be the name of a time zone such as "Europe/Berlin"'
        return
    try:
        team_values.zone(name)
    except ValueError:
        known = available_timezones()
        if known:
            yield "zone", f"zone: there is no time zone {name!r}{did_you_mean(name, known)}"
        else:
            yield "zone", f"zone: this machine has no time zones, so {name!r} is unknown; install tzdata"


def _listed(table: object) -> frozenset[str]:
    """Return the logins of a table, in lower case; what is wrong with them is a problem of its own."""
    found = table.get("logins") if isinstance(table, dict) else None
    return frozenset(login.lower() for login in found) if texts(found) else frozenset()
