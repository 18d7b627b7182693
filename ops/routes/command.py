"""ops routes: check the routes file, and explain which routes a saved payload matches."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import click

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.routes import Routes
from ops import ROOT
from ops.checked_file import read_checked
from ops.cli import json_option
from ops.local_stack import local_option
from ops.routes.explanation import defaults_summary, explain_json, explain_lines, summary
from ops.send.saved_delivery import read_event
from pipeline.errors import Malformed
from pipeline.team import Team

file_option = click.option(
    "--file",
    "routes_path",
    default=ROOT / "config" / "routes.toml",
    show_default="config/routes.toml",
    type=click.Path(path_type=Path),
    help="The routes file.",
)


@click.group()
def routes() -> None:
    """Check the routes file, and explain what it does."""


@routes.command("check")
@file_option
@json_option
def check_command(routes_path: Path, *, as_json: bool) -> None:
    """Check the routes file and sum up each route.

    The file is read as notify_slack reads it at its start. Every problem is named.
    """
    found = read_routes(routes_path, as_json=as_json)
    warnings = [f"{routes_path}: {warning}" for warning in found.warnings()]
    if as_json:
        click.echo(json.dumps({"problems": [], "warnings": warnings, **asdict(found)}))
    else:
        for warning in warnings:
            click.echo(f"Warning: {warning}", err=True)
        click.echo("\n".join([*map(summary, found.routes), defaults_summary(found)]))


@routes.command("explain")
@click.argument("payload", metavar="FILE")
@local_option
@click.option("--event", help="X-GitHub-Event.  [default: that of FILE, guessed if need be]")
@file_option
@json_option
def explain_command(payload: str, event: str | None, routes_path: Path, *, as_json: bool) -> None:
    """Explain which routes a delivery matches, and why.

    Shows why the other routes do not match, and what each channel is shown. Nothing is posted.

    FILE is a sample, or a payload as GitHub shows it under the webhook's Recent deliveries; - is stdin.
    """
    delivered = read_event(payload, event)
    found = read_routes(routes_path, as_json=as_json)
    try:
        explained = (
            json.dumps(explain_json(delivered, found))
            if as_json
            else "\n".join(explain_lines(delivered, found))
        )
    except Malformed as error:
        raise click.ClickException(str(error)) from error
    click.echo(explained)


def read_routes(path: Path, *, as_json: bool) -> Routes:
    """Return the routes; a file with problems ends the command with all of them and status 1."""

    def parse(text: str) -> Routes:
        return replace(routes_file.parse(text), bots=Team.read(os.environ, ROOT / "config").bots)

    return read_checked(path, "routes file", parse, as_json=as_json)
