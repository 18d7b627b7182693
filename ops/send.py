"""ops send: sign one delivery as GitHub would and post it to an ingest URL."""

import json
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
import requests

from functions.ingest.signature import sign
from local import github

ENDPOINTS = Path(".local/endpoints.json")
TIMEOUT_SECONDS = 30.0
ACTIONS = {
    "issues": ["opened", "closed", "reopened", "labeled", "assigned"],
    "issue_comment": ["created"],
    "ping": [],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to send and what to sign with."""

    url: str
    secret: bytes


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--url", help="The ingest URL; default: the one of the running make serve.")
@click.option("--secret-file", type=click.File("rb"), help="File with the webhook's secret; - is stdin.")
@click.option("--secret", envvar="ISSUEWIRE_WEBHOOK_SECRET", help="The secret itself, for local use.")
@click.option("--event", help="X-GitHub-Event; default: guessed from the payload, issues for a made-up one.")
@click.option("--action", default=None, help="Action of a made-up event; default: opened, or created.")
@click.option("--title", default="A made-up issue", show_default=True)
@click.option("--body", default="Sent by python -m ops send.", show_default=True)
@click.option("--repository", default="acme/app", show_default=True, help="owner/name.")
@click.option(
    "--number", default=1, show_default=True, type=click.IntRange(min=1), help="The issue's number."
)
@click.option("--author", default="octocat", show_default=True, help="Login of who does it.")
@click.option("--delivery-id", help="X-GitHub-Delivery; default: a new GUID.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def send(**options: Any) -> None:
    """Sign one delivery and send it to ingest.

    The payload is FILE, or stdin when FILE is -, or a made-up event:

    \b
      python -m ops send --event issues --action opened --title "Export fails"
      python -m ops send payload.json --event issues --url https://... --secret-file secret.txt
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    target = find_target(options["url"], options["secret"], options["secret_file"])
    event, body = read_payload(options["file"], options["event"]) if options["file"] else make_up(options)
    delivery_id = options["delivery_id"] or str(uuid.uuid4())
    click.echo(f"Sending {event} ({len(body):,} bytes) to {target.url} ...", err=True)
    started = time.monotonic()
    answer = post(target, event, delivery_id, body)
    outcome = {
        "status": answer.status_code,
        "delivery_id": delivery_id,
        "milliseconds": round((time.monotonic() - started) * 1000),
        "answer": answer.text.strip(),
    }
    click.echo(json.dumps(outcome) if as_json_wanted(options) else describe(outcome))
    if not answer.ok:
        sys.exit(1)


def find_target(url: str | None, secret: str | None, secret_file: IO[bytes] | None) -> Target:
    """Return where to send; what is not given comes from the running local stack."""
    if secret_file is not None:
        secret = secret_file.read().decode().removesuffix("\n")
    if url is None or secret is None:
        try:
            local = json.loads(ENDPOINTS.read_text())
        except (OSError, ValueError) as error:
            missing = "--url" if url is None else "--secret-file"
            raise click.UsageError(f"give {missing}, or start make serve in another terminal") from error
        if url is None:
            url, secret = local["ingest_url"], secret or local["webhook_secret"]
        elif secret is None and url.rstrip("/") == local["ingest_url"].rstrip("/"):
            secret = local["webhook_secret"]
    if not secret:
        raise click.UsageError("give the webhook's secret with --secret-file")
    return Target(url=url, secret=secret.encode())


def read_payload(file: IO[bytes], event: str | None) -> tuple[str, bytes]:
    """Return the event's name and the bytes, exactly as they are in the file."""
    body = file.read()
    return event or guess_event(body), body


def guess_event(body: bytes) -> str:
    """Return the event's name by the payload's shape. Raises UsageError when it cannot be told."""
    try:
        payload = json.loads(body)
    except ValueError:
        payload = None
    keys = payload.keys() if isinstance(payload, dict) else set()
    for name, marks in (("ping", {"zen"}), ("issue_comment", {"issue", "comment"}), ("issues", {"issue"})):
        if marks <= keys:
            return name
    raise click.UsageError("the payload does not tell its event; give --event")


def make_up(options: dict[str, Any]) -> tuple[str, bytes]:
    """Return a made-up event of GitHub's shape. Raises UsageError for one that is not known."""
    event = options["event"] or "issues"
    if event not in ACTIONS:
        raise click.UsageError(
            f"--event {event} cannot be made up (known: {', '.join(ACTIONS)}); give a FILE"
        )
    action: str | None = options["action"] or next(iter(ACTIONS[event]), None)
    if action is not None and action not in ACTIONS[event]:
        known = ", ".join(ACTIONS[event]) or "none"
        raise click.UsageError(f"--action {action} cannot be made up for {event} (known: {known})")
    if options["repository"].count("/") != 1:
        raise click.UsageError("--repository is owner/name")
    made = _event(event, action, options)
    return event, json.dumps(made.payload).encode()


def _event(event: str, action: str | None, options: dict[str, Any]) -> github.Event:
    now = datetime.now(UTC)
    author = github.Person(login=options["author"])
    repository = github.Repository(full_name=options["repository"])
    if event == "ping":
        return github.ping(repository, author)
    issue = github.Issue(
        repository=repository,
        number=options["number"],
        title=options["title"],
        body=options["body"],
        author=author,
        created_at=now,
    )
    made: dict[str, Callable[[], github.Event]] = {
        "opened": issue.opened,
        "closed": lambda: issue.closed(author, now),
        "reopened": lambda: issue.reopened(author, now),
        "labeled": lambda: issue.labeled(author, now, "bug"),
        "assigned": lambda: issue.assigned(author, now, author),
        "created": lambda: issue.commented(author, now, options["body"]),
    }
    return made[action or "opened"]()


def post(target: Target, event: str, delivery_id: str, body: bytes) -> requests.Response:
    """Send the delivery. Raises ClickException when there is no answer."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/issuewire",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery_id,
        "X-Hub-Signature-256": sign(body, target.secret),
    }
    try:
        return requests.post(target.url, data=body, headers=headers, timeout=TIMEOUT_SECONDS)
    except requests.exceptions.Timeout as error:
        raise click.ClickException(f"{target.url} gave no answer within {TIMEOUT_SECONDS:.0f} s") from error
    except requests.exceptions.ConnectionError as error:
        raise click.ClickException(f"{target.url} cannot be reached; is it running?") from error
    except requests.exceptions.RequestException as error:
        raise click.ClickException(f"{target.url} cannot be used: {error}") from error


def as_json_wanted(options: dict[str, Any]) -> bool:
    """Return the flag --json."""
    return bool(options["as_json"])


def describe(outcome: dict[str, Any]) -> str:
    """Return the outcome as one line for people."""
    return f"{outcome['status']} in {outcome['milliseconds']} ms: {outcome['answer']}"
