"""What the triage commands share: the rules, the team, and their options."""

import os
from pathlib import Path

import click

from functions.triage import rules_file
from functions.triage.rules import Rule
from ops import ROOT
from ops.checked_file import read_checked
from pipeline.settings import collect_problems
from pipeline.team import Team

DEFAULT = ROOT / "config" / "triage.toml"
file_option = click.option(
    "--file",
    "triage_path",
    envvar="TRIAGE_FILE",
    show_envvar=True,
    default=DEFAULT,
    show_default="config/triage.toml",
    type=click.Path(path_type=Path),
    help="The triage file.",
)
own_login_option = click.option(
    "--own-login",
    metavar="LOGIN",
    help="Login of our GitHub App, such as issuewire[bot]: what it sent triggers nothing.",
)


def read_rules(path: Path, *, as_json: bool) -> tuple[tuple[Rule, ...], Team]:
    """Return the rules and the team; files with problems end the command with all of them and status 1."""

    def parse(text: str) -> tuple[tuple[Rule, ...], Team]:
        return collect_problems(
            lambda: rules_file.parse(text), lambda: Team.read(os.environ, ROOT / "config")
        )

    return read_checked(path, "triage file", parse, as_json=as_json)
