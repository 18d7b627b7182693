"""ops send: sign one delivery as GitHub would and post it to an ingest URL."""

import json
import os
import re
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import click
import requests

from functions.ingest.signature import sign
from ops.send import payloads as github
from pipeline.errors import Malformed
from pipeline.events import parse_payload

ENDPOINTS = Path(".local/endpoints.json")
TIMEOUT_SECONDS = 30.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}

# How each event is made up of an issue, who acts, and when; the first action of an event is its default.
MAKERS: dict[str, dict[str, Callable[[github.Issue, github.Person, datetime], github.Event]]] = {
    "issues": {
        "opened": lambda issue, _by, _at: issue.opened(),
        "closed": lambda issue, by, at: issue.closed(by, at),
        "reopened": lambda issue, by, at: issue.reopened(by, at),
        "labeled": lambda issue, by, at: issue.labeled(by, at, "bug"),
        "assigned": lambda issue, by, at: issue.assigned(by, at, by),
    },
    "issue_comment": {"created": lambda issue, by, at: issue.commented(by, at, issue.body or "")},
    "ping": {},
}

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to send and what to sign with."""

    url: str
    secret: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUp:
    """What the operator wants to happen at GitHub."""

    event: str
    action: str | None
    title: str
    body: str
    repository: str
    number: int
    author: str


@click.command()
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--url", help="The ingest URL; default: the one of the running make serve.")
@click.option("--secret-file", type=click.File("rb"), help="File with the webhook's secret; - is stdin.")
@click.option(
    "--secret",
    envvar="ISSUEWIRE_WEBHOOK_SECRET",
    help="The secret itself, for local use; better in ISSUEWIRE_WEBHOOK_SECRET than here.",
)
@click.option("--event", help="X-GitHub-Event; default: guessed from the payload, issues for a made-up one.")
@click.option("--action", default=None, help="Action of a made-up event; default: opened, or created.")
@click.option("--title", default="A made-up issue", show_default=True, help="The issue's title.")
@click.option(
    "--body",
    default="Sent by python -m ops send.",
    show_default=True,
    help="The issue's text, or the comment's.",
)
@click.option("--repository", default="acme/app", show_default=True, help="owner/name.")
@click.option(
    "--number", default=1, show_default=True, type=click.IntRange(min=1), help="The issue's number."
)
@click.option("--author", default="octocat", show_default=True, help="Login of who does it.")
@click.option("--delivery-id", help="X-GitHub-Delivery; default: a new GUID.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def send(  # noqa: PLR0913 - one for each option
    *,
    file: IO[bytes] | None,
    url: str | None,
    secret: str | None,
    secret_file: IO[bytes] | None,
    delivery_id: str | None,
    as_json: bool,
    event: str | None,
    **wanted: Any,
) -> None:
    """Sign one delivery and send it to ingest.

    The payload is FILE, or stdin when FILE is -, or a made-up event:

    \b
      python -m ops send --event issues --action opened --title "Export fails"
      python -m ops send payload.json --event issues --url https://... --secret-file secret.txt
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    target = find_target(url, read_secret(secret, secret_file))
    if file is None:
        made = make_up(MadeUp(event=event or "issues", **wanted))
        event, body = made.name, json.dumps(made.payload).encode()
    else:
        body = file.read()
        event = event or guess_event(body)
    delivery_id = delivery_id or str(uuid.uuid4())
    click.echo(f"Sending {event} ({len(body):,} bytes) to {target.url} ...", err=True)
    started = time.monotonic()
    answer = post(target, event, delivery_id, body)
    outcome = {
        "status": answer.status_code,
        "delivery_id": delivery_id,
        "milliseconds": round((time.monotonic() - started) * 1000),
        "answer": answer.text.strip(),
    }
    line = "{status} in {milliseconds} ms: {answer}".format_map(outcome)
    click.echo(json.dumps(outcome) if as_json else line)
    if answer.status_code not in range(200, 300):
        sys.exit(1)


def read_secret(secret: str | None, file: IO[bytes] | None) -> bytes | None:
    """Return the secret that is given, if one is; like ingest, without the newline that ends a file."""
    if file is None:
        return None if secret is None else os.fsencode(secret)
    content = file.read()
    return content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\n") else content


def find_target(url: str | None, secret: bytes | None) -> Target:
    """Return where to send; what is not given comes from the running local stack.

    Its secret signs only what goes to it. Raises UsageError for what is missing.
    """
    local = read_endpoints() if url is None or secret is None else {}
    url = url or local.get("ingest_url")
    if not url:
        raise click.UsageError("give --url, or start make serve in another terminal")
    if secret is None and url.rstrip("/") == local.get("ingest_url", "").rstrip("/"):
        secret = local.get("webhook_secret", "").encode()
    if not secret:
        raise click.UsageError("give the webhook's secret with --secret-file")
    return Target(url=url, secret=secret)


def read_endpoints() -> dict[str, str]:
    """Return the texts that a running make serve has written; none when there is no such file."""
    try:
        values = parse_payload(ENDPOINTS.read_bytes())
    except (OSError, Malformed):
        return {}
    return {name: value for name, value in values.items() if isinstance(value, str)}


def guess_event(body: bytes) -> str:
    """Return the event's name by the payload's shape. Raises UsageError when it cannot be told."""
    try:
        keys = parse_payload(body).keys()
    except Malformed as error:
        raise click.UsageError(f"the payload does not tell its event, give --event: {error}") from error
    for name, marks in (("ping", {"zen"}), ("issue_comment", {"issue", "comment"}), ("issues", {"issue"})):
        if marks <= keys:
            return name
    raise click.UsageError("the payload does not tell its event; give --event")


def make_up(wanted: MadeUp) -> github.Event:
    """Return an event of GitHub's shape that happens now. Raises UsageError for one that is not known."""
    if wanted.event not in MAKERS:
        raise click.UsageError(
            f"--event {wanted.event} cannot be made up (known: {', '.join(MAKERS)}); give a FILE"
        )
    makers = MAKERS[wanted.event]
    if wanted.action is not None and wanted.action not in makers:
        known = ", ".join(makers) or "none"
        raise click.UsageError(
            f"--action {wanted.action} cannot be made up for {wanted.event} (known: {known})"
        )
    if not _REPOSITORY.fullmatch(wanted.repository):
        raise click.UsageError("--repository is owner/name")
    now = datetime.now(UTC)
    author = github.Person(login=wanted.author)
    repository = github.Repository(full_name=wanted.repository)
    if not makers:
        return github.ping(repository, author)
    issue = github.Issue(
        repository=repository,
        number=wanted.number,
        title=wanted.title,
        body=wanted.body,
        author=author,
        created_at=now,
    )
    return makers[wanted.action or next(iter(makers))](issue, author, now)


def post(target: Target, event: str, delivery_id: str, body: bytes) -> requests.Response:
    """Send the delivery; like GitHub, follow no redirect. Raises ClickException when there is no answer."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/issuewire",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery_id,
        "X-Hub-Signature-256": sign(body, target.secret),
    }
    try:
        with requests.Session() as session:
            session.trust_env = urlsplit(target.url).hostname not in LOOPBACK  # no proxy reaches this machine
            return session.post(
                target.url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
    except requests.exceptions.Timeout as error:
        raise click.ClickException(f"{target.url} gave no answer within {TIMEOUT_SECONDS:.0f} s") from error
    except requests.exceptions.ConnectionError as error:
        raise click.ClickException(f"{target.url} cannot be reached; is it running?") from error
    except (requests.exceptions.RequestException, ValueError) as error:
        raise click.ClickException(f"{target.url} cannot be used: {error}") from error
