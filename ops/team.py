"""ops team: check the team file, and sum up what it says."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click

from ops import ROOT
from ops.checked_file import read_checked
from ops.cli import json_option
from pipeline.targets import Target
from pipeline.team import Team
from pipeline.team_values import WEEKDAYS
from pipeline.working_hours import ALWAYS, Hours


@click.group()
def team() -> None:
    """Check who is who, when work is done, and what is promised."""


@team.command("check")
@click.option(
    "--file",
    "path",
    envvar="TEAM_FILE",
    show_envvar=True,
    default=ROOT / "config" / "team.toml",
    show_default="config/team.toml",
    type=click.Path(path_type=Path),
    help="The team file.",
)
@json_option
def check_command(path: Path, *, as_json: bool) -> None:
    """Check the team file and sum it up.

    The file is read as the functions and `schema apply` read it. Every problem is named.
    """
    found = read_checked(path, "team file", Team.parse, as_json=as_json)
    click.echo(json.dumps({"problems": []}) if as_json else "\n".join(summary(found)))


def summary(team: Team) -> Iterator[str]:
    """Yield a line about each table."""
    away = f"; away: {', '.join(team.away)}" if team.away else ""
    yield f"team      {', '.join(team.logins) or 'owners, members and collaborators'}{away}"
    if team.bots:
        yield f"bots      {', '.join(team.bots)}"
    yield f"hours     {_hours(team.hours)}"
    for number, target in enumerate(team.targets, start=1):
        yield f"target {number}  {_target(target)}"
    if not team.targets:
        yield "targets   none, so nothing is due"
    if (digest := team.digest) is None:
        yield "digest    none"
        return
    when = f"{digest.at:%H:%M} {team.hours.zone}"
    for channel, globs in digest.channels.items():
        weekly = "" if digest.weekly is None else f", the week's numbers on {WEEKDAYS[digest.weekly]}"
        since = f", since {digest.since}" if digest.since else ""
        yield f"digest    {', '.join(globs)} -> {channel} at {when}{weekly}{since}"


def _hours(hours: Hours) -> str:
    if hours is ALWAYS:
        return "every hour counts"
    days = ", ".join(WEEKDAYS[day] for day in sorted(hours.days))
    closes = f"{hours.closes:%H:%M}".replace("00:00", "24:00")
    holidays = f", {len(hours.holidays)} holidays" if hours.holidays else ""
    return f"{days} {hours.opens:%H:%M}-{closes} {hours.zone}{holidays}"


def _target(target: Target) -> str:
    rules = (
        (name, getattr(target, name)) for name in ("repositories", "labels_any", "labels_all", "labels_none")
    )
    wants = [f"{name} {', '.join(value)}" for name, value in rules if value]
    kind = "by the clock" if target.calendar else "of working time"
    hours = target.respond_in / timedelta(hours=1)
    return f"{'; '.join(wants)}: {hours:g} hours {kind}, due soon after {hours * target.warn_at:g}"
