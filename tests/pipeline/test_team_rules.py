"""A wrong config/team.toml is refused with all of its problems, each with its line."""

import pytest

from pipeline.errors import ConfigurationError
from pipeline.team import Team

HOURS = '[hours]\nzone = "Europe/Berlin"\n'
TARGET = '[[target]]\nrespond_in = "8h"\n'
DIGEST = '[digest]\nchannels = { C0123456789 = ["acme/*"] }\n'


def problems(text: str) -> tuple[str, ...]:
    """Return the problems of a team file."""
    with pytest.raises(ConfigurationError) as caught:
        Team.parse(text)
    return caught.value.problems


def test_all_problems_are_named_at_once() -> None:
    """Every table is checked, and each problem has the line of its key."""
    text = """[team]
login = ["mona"]
[bots]
logins = "k8s"
[hours]
zone = "Europe/Berln"
days = "Mon-Funday"
[[target]]
respond_in = "8h"
[[target]]
warn_at = 75
[digest]
at = "9"
[team2]
"""
    assert problems(text) == (
        "team file: line 14: unknown table 'team2', did you mean 'team'?",
        "team file: line 2: team: unknown key 'login', did you mean 'logins'? (known: away, logins)",
        'team file: line 4: bots: logins must be a list of GitHub logins such as "octocat"',
        "team file: line 6: hours: zone: there is no time zone 'Europe/Berln', did you mean 'Europe/Berlin'?",
        (
            'team file: line 7: hours: days must be weekdays such as "Mon-Fri", "Sun-Thu" or "Mon, Wed", '
            "not 'Mon-Funday'"
        ),
        'team file: line 12: digest: channels must be a table such as { "C0123456789" = ["acme/*"] }',
        "team file: line 13: digest: at must be a time such as \"09:00\", not '9'",
        'team file: line 10: target 2: respond_in must be a time such as "90m", "8h" or "2d"',
        "team file: line 11: target 2: warn_at must be a number from 0 to 1",
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('days = "Mon-"', "days must be weekdays"),
        ('days = ""', "days must be weekdays"),
        ("days = 5", "days must be weekdays"),
        ('from = "9:00"', "from must be a time"),
        ('from = "24:00"', "from must be a time"),
        ('to = "24:01"', "to must be a time"),
        ("to = 17:00:00", 'to must be a time such as "17:00" or "24:00", in quotes'),
        ('from = "17:00"\nto = "09:00"', "to: '09:00' is not after '17:00'"),
        ('from = "09:00"\nto = "09:00"', "to: '09:00' is not after '09:00'"),
        ('holidays = "2026-12-25"', "holidays must be a list of dates"),
        ('holidays = ["25.12.2026"]', "holidays must be dates"),
        ('holidays = ["2026-02-29"]', "holidays must be dates"),
        ("holidays = [2026-12-25]", 'holidays must be dates such as "2026-12-25", in quotes'),
        ('holidays = [" "]', "holidays must be dates"),
        ('holidays = ["20261225"]', "holidays must be dates"),
        ('form = "09:00"', "unknown key 'form', did you mean 'from'?"),
    ],
)
def test_hours(line: str, problem: str) -> None:
    """Days, times and holidays have one form each, and a day ends after it begins."""
    [found] = problems(HOURS + line)
    assert f": hours: {problem}" in found


@pytest.mark.parametrize(
    "zone",
    [
        *('"Europe"', '"../etc/passwd"', '""', "1", '"Mars/Olympus"', '"/etc/localtime"'),
        *('"localtime"', '"posixrules"', '"right/Europe/Berlin"', '"posix/Europe/Berlin"'),
    ],
)
def test_a_zone_is_a_name_of_the_tz_database(zone: str) -> None:
    """What is no zone's name is refused, also a folder, a path, and what only this machine calls a zone."""
    [found] = problems(f"[hours]\nzone = {zone}")
    assert found.startswith("team file: line 2: hours: zone")
    assert problems("[hours]\nto = '17:00'") == (
        'team file: line 1: hours: zone must be the name of a time zone such as "Europe/Berlin"',
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('respond_in = "0h"', "respond_in must be a time"),
        ('respond_in = "2w"', "respond_in must be a time"),
        ('respond_in = "-1d"', "respond_in must be a time"),
        ("respond_in = 8", "respond_in must be a time"),
        ('calendar = "yes"', "calendar must be true or false"),
        ("warn_at = 1.5", "warn_at must be a number from 0 to 1"),
        ("warn_at = true", "warn_at must be a number from 0 to 1"),
        ("warn_at = nan", "warn_at must be a number from 0 to 1"),
        ('repositories = ["acme"]', "repositories: 'acme' can never match an owner/name"),
        ("repositories = []", "repositories must be a list of globs"),
        ("labels_any = []", "labels_any must be a list of labels"),
        (
            'labels_all = ["bug"]\nlabels_none = ["Bug"]',
            "labels_none: 'Bug' is in labels_all too, so the target can never match",
        ),
        ('label_any = ["bug"]', "unknown key 'label_any', did you mean 'labels_any'?"),
    ],
)
def test_targets(line: str, problem: str) -> None:
    """A target has a time to answer in, and repositories and labels that can match."""
    text = f"[[target]]\n{line}" if line.startswith("respond_in") else TARGET + line
    [found] = problems(text)
    assert f": target 1: {problem}" in found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[digest]\nchannels = {}", "channels must be a table"),
        ('[digest]\nchannels = ["C1"]', "channels must be a table"),
        ('[digest]\nchannels = { "#help" = ["acme/*"] }', "channels: '#help' is no channel id"),
        ('[digest]\nchannels = { C1 = ["acme"] }', "channels: C1: repositories: 'acme' can never match"),
        ('[digest]\nchannels = { C1 = "acme/*" }', "channels: C1: repositories must be a list of globs"),
        ("[digest.channels]\nC1 = []", "channels: C1: repositories must be a list of globs"),
        (f'{DIGEST}weekly = "Monday"', "weekly must be one of Mon, Tue,"),
        (f"{DIGEST}weekly = true", "weekly must be one of Mon, Tue,"),
        (f'{DIGEST}since = "soon"', "since must be a date"),
        (f"{DIGEST}since = 2026-12-01", 'since must be a date such as "2026-12-01", in quotes'),
        (f'{DIGEST}at = "24:00"', "at must be a time"),
    ],
)
def test_digest(text: str, problem: str) -> None:
    """A digest goes to channels, each with the repositories that it is about."""
    [found] = problems(text)
    assert f"digest: {problem}" in found


def test_logins() -> None:
    """A login is GitHub's, and no one is of the team and a bot at once."""
    assert problems('[team]\nlogins = ["Mona", "mo na"]\naway = [1]\n[bots]\nlogins = ["mona"]') == (
        "team file: line 2: team: logins: 'mo na' is not a GitHub login",
        'team file: line 3: team: away must be a list of GitHub logins such as "octocat"',
        "team file: line 2: team: logins: 'mona' is one of the [bots], too",
    )
    assert Team.parse('[team]\nlogins = []\n[bots]\nlogins = ["renovate[bot]"]').bots == ("renovate[bot]",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("team = 1", "write the team as one table [team]"),
        ("[[digest]]", "write the digest as one table [digest]"),
        ('[target]\nrespond_in = "8h"', "write each target as [[target]]"),
        ("target = [1]", "write each target as [[target]]"),
    ],
)
def test_tables_have_their_form(text: str, problem: str) -> None:
    """A table that is written as something else is named."""
    assert problems(text) == (f"team file: line 1: {problem}",)


@pytest.mark.parametrize(
    ("days", "numbers"),
    [
        ("Mon-Fri", {0, 1, 2, 3, 4}),
        ("Sun-Thu", {6, 0, 1, 2, 3}),
        ("Mon, Wed", {0, 2}),
        ("Mon,Wed-Thu", {0, 2, 3}),
        ("fri", {4}),
        ("Mon-Sun", set(range(7))),
    ],
)
def test_days(days: str, numbers: set[int]) -> None:
    """Days are named one by one or as ranges, and a range may pass the end of the week."""
    assert Team.parse(f'{HOURS}days = "{days}"').hours.days == numbers


@pytest.mark.parametrize(
    ("respond_in", "hours"), [("90m", 1.5), ("8h", 8), ("2d", 15), ("0.5d", 3.75), ("1.5h", 1.5)]
)
def test_a_day_of_a_target_is_a_working_day(respond_in: str, hours: float) -> None:
    """A day is as long as the team's working day, here seven and a half hours."""
    text = f'{HOURS}from = "09:00"\nto = "16:30"\n[[target]]\nrespond_in = "{respond_in}"'
    assert Team.parse(text).targets[0].respond_in.total_seconds() == hours * 3600
