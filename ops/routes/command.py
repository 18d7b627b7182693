"""ops routes: check the routes file, and explain which routes a saved payload matches."""

import json
import os
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.routes import Routes
from ops import ROOT
from ops.cli import file_errors, json_option
from ops.local_stack import local_option
from ops.routes.explanation import defaults_summary, explain_json, explain_lines, summary
from ops.send.saved_delivery import read_delivery
from pipeline.delivery import Delivery
from pipeline.errors import ConfigurationError, Malformed
from pipeline.events import IssueEvent
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
    text = read_text(path)
    try:
        return replace(routes_file.parse(text), bots=Team.read(os.environ, ROOT / "config").bots)
    except ConfigurationError as error:
        of_routes = "routes file: "  # another problem is of the team file, and says so
        problems = [
            f"{path}: {problem.removeprefix(of_routes)}" if problem.startswith(of_routes) else problem
            for problem in error.problems
        ]
        if as_json:
            click.echo(json.dumps({"problems": problems}))
        else:
            click.echo("\n".join(problems), err=True)
        sys.exit(1)


def read_text(path: Path) -> str:
    """Return the file's text, decoded as the function decodes it. Raises ClickException."""
    with file_errors(path):
        return path.read_text("utf-8-sig")


def read_event(file: str, event: str | None) -> IssueEvent:
    """Return the event in a sample's or a payload's file. Raises ClickException if there is none."""
    saved = read_delivery(file, event)
    delivery = Delivery(
        delivery_id="explained", event=event or "", body=saved.body, received_at=datetime.now(UTC)
    )
    try:
        IssueEvent.from_delivery(delivery)  # before guessing, whose own message would be about --event
    except Malformed as error:
        raise click.ClickException(f"{'stdin' if file == '-' else file}: {error}") from error
    return IssueEvent.from_delivery(replace(delivery, event=saved.event_name()))
