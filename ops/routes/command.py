"""ops routes: check the routes file, and explain which routes a saved payload matches."""

import json
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.routes import Routes
from ops.routes.explanation import explained, shared, story, summary
from ops.send.command import guess_event
from pipeline.delivery import Delivery
from pipeline.errors import ConfigurationError, Malformed
from pipeline.events import IssueEvent

_file_option = click.option(
    "--file",
    "routes_path",
    default="config/routes.toml",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The routes file.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")


@click.group()
def routes() -> None:
    """Who hears what: check the routes file, explain what it does with an event."""


@routes.command("check")
@_file_option
@_json_option
def check_command(routes_path: Path, *, as_json: bool) -> None:
    """Read the routes file as notify_slack does at its start; name every problem, or sum up each route."""
    found = read_routes(routes_path, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"problems": [], **asdict(found)}))
    else:
        click.echo("\n".join([*map(summary, found.routes), shared(found)]))


@routes.command("explain")
@click.argument("payload", metavar="FILE")
@click.option("--event", help="X-GitHub-Event of the payload; default: told by its shape.")
@_file_option
@_json_option
def explain_command(payload: str, event: str | None, routes_path: Path, *, as_json: bool) -> None:
    """Say which routes a webhook's payload matches, why not the others, and what each channel is shown.

    FILE is the JSON that GitHub shows under the webhook's Recent deliveries; - is stdin. Nothing is posted.
    """
    delivered = read_event(payload, event)
    found = read_routes(routes_path, as_json=as_json)
    if as_json:
        click.echo(json.dumps(explained(delivered, found)))
    else:
        click.echo("\n".join(story(delivered, found)))


def read_routes(path: Path, *, as_json: bool) -> Routes:
    """Return the routes; a file with problems ends the command with all of them and status 1."""
    text = read_text(path)
    try:
        return routes_file.parse(text)
    except ConfigurationError as error:
        problems = [f"{path}: {problem.removeprefix('routes file: ')}" for problem in error.problems]
        if as_json:
            click.echo(json.dumps({"problems": problems}))
        else:
            click.echo("\n".join(problems), err=True)
        sys.exit(1)


def read_text(path: Path) -> str:
    """Return the file's text, decoded as the function decodes it. Raises ClickException."""
    try:
        return path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{path} cannot be read: {_cause(error)}") from error


def read_event(file: str, event: str | None) -> IssueEvent:
    """Return the event that a payload's file holds. Raises ClickException when it holds none."""
    try:
        body = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{file} cannot be read: {_cause(error)}") from error
    delivery = Delivery(delivery_id="explained", event=event or "", body=body, received_at=datetime.now(UTC))
    try:
        IssueEvent.from_delivery(delivery)  # before guessing, whose own message would be about --event
    except Malformed as error:
        raise click.ClickException(f"{'stdin' if file == '-' else file}: {error}") from error
    return IssueEvent.from_delivery(replace(delivery, event=event or guess_event(body)))


def _cause(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
