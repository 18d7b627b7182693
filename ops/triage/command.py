"""ops triage: check the rules, and explain what they do about a saved payload."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from functions.triage.rules import decide
from ops.cli import json_option
from ops.lazy_group import LazyGroup
from ops.local_stack import local_option
from ops.send.saved_delivery import read_event
from ops.triage import wording
from ops.triage.options import DEFAULT, file_option, own_login_option, read_rules


@click.group(cls=LazyGroup, modules={"replay": "ops.triage.replay"})
def triage() -> None:
    """Check the rules for issues, and show what they do."""


@triage.command("check")
@click.argument(
    "triage_path", metavar="[FILE]", envvar="TRIAGE_FILE", default=DEFAULT, type=click.Path(path_type=Path)
)
@json_option
def check_command(triage_path: Path, *, as_json: bool) -> None:
    """Check the triage file and sum up each rule.

    The file is read as triage reads it at its start. Every problem is named. FILE is config/triage.toml, or
    what TRIAGE_FILE names, if it is left out.
    """
    rules, team = read_rules(triage_path, as_json=as_json)
    found = [f"{triage_path}: {warning}" for warning in wording.warnings(rules, team)]
    if as_json:
        click.echo(json.dumps({"problems": [], "warnings": found, "rules": list(map(asdict, rules))}))
        return
    for warning in found:
        click.echo(f"Warning: {warning}", err=True)
    click.echo("\n".join(map(wording.summary, rules)) or wording.NO_RULE)


@triage.command("explain")
@click.argument("payload", metavar="FILE")
@local_option
@click.option("--event", help="X-GitHub-Event.  [default: that of FILE, guessed if need be]")
@file_option
@own_login_option
@json_option
def explain_command(
    payload: str, event: str | None, triage_path: Path, own_login: str | None, *, as_json: bool
) -> None:
    """Explain what each rule does about a delivery.

    Says why the other rules do not match, too. The delivery is taken as one that ingest receives now. GitHub
    is not asked: what the issue has by now, or what a person took off it, is not known here. Nothing is done.

    FILE is a sample, or a payload as GitHub shows it under the webhook's Recent deliveries; - is stdin.
    """
    delivered = read_event(payload, event)
    rules, team = read_rules(triage_path, as_json=as_json)
    decision = decide(delivered, rules, team, now=datetime.now(UTC), own_login=own_login)
    if as_json:
        click.echo(json.dumps(wording.explain_json(decision, delivered.issue, rules)))
    else:
        click.echo("\n".join(wording.explain_lines(decision, delivered.issue, rules)))
