"""ops send: sign one delivery as GitHub does, and post it to an ingest URL."""

import json
import os
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import urlsplit

import click
import requests

from functions.ingest.signature import sign
from ops import local_stack
from ops.cli import http_errors, json_option
from ops.send.payload_spec import PayloadSpec, build_payload
from ops.send.saved_delivery import read_delivery

TIMEOUT_SECONDS = 30.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to send and what to sign with."""

    url: str
    secret: bytes


@click.command()
@click.argument("file", required=False)
@click.option("--url", help="URL of ingest.  [default: that of the running make serve]")
@click.option("--secret-file", type=click.File("rb"), help="File with the webhook's secret; - is stdin.")
@click.option(
    "--secret",
    envvar="ISSUEWIRE_WEBHOOK_SECRET",
    show_envvar=True,
    help="The secret itself, for local use: other users of this machine can see an option.",
)
@click.option("--event", help="X-GitHub-Event.  [default: that of FILE, guessed if need be; else issues]")
@click.option("--action", help="Action of a built event.  [default: opened, or created]")
@click.option("--title", default="A test issue", show_default=True, help="Title of the issue.")
@click.option(
    "--body",
    default="Sent by issuewire send.",
    show_default=True,
    help="Text of the issue or of the comment.",
)
@click.option("--repository", metavar="OWNER/REPO", default="acme/app", show_default=True, help="Repository.")
@click.option(
    "--number", default=1, show_default=True, type=click.IntRange(min=1), help="Number of the issue."
)
@click.option("--author", default="octocat", show_default=True, help="Login of the person who acts.")
@click.option("--delivery-id", help="X-GitHub-Delivery.  [default: a new GUID]")
@json_option
def send(  # noqa: PLR0913 - one for each option
    *,
    file: str | None,
    url: str | None,
    secret: str | None,
    secret_file: IO[bytes] | None,
    delivery_id: str | None,
    as_json: bool,
    event: str | None,
    **values: Any,
) -> None:
    """Sign one delivery and send it to ingest.

    FILE is a sample, or a payload as GitHub shows it under the webhook's Recent deliveries; - is stdin.
    Without FILE, the options describe an event that is built and sent:

    \b
      issuewire send samples/issues.opened.json
      issuewire send --event issue_comment --author mona --body "I can see it."
      issuewire send payload.json --url https://... --secret-file secret.txt
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    target = find_target(url, read_secret(secret, secret_file))
    event, body = read_body(file, event, values)
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


def read_body(file: str | None, event: str | None, values: dict[str, Any]) -> tuple[str, bytes]:
    """Return event and body, of the file or as the options describe them. Raises UsageError."""
    if file is not None:
        saved = read_delivery(file, event)
        return saved.event_name(), saved.body
    spec = PayloadSpec(event=event or "issues", **values)
    if problem := spec.problem():
        raise click.UsageError(problem)
    built = build_payload(spec, datetime.now(UTC))
    return built.name, json.dumps(built.payload).encode()


def read_secret(secret: str | None, file: IO[bytes] | None) -> bytes | None:
    """Return the given secret, or None; like ingest, without the newline that ends a file."""
    if file is None:
        return None if secret is None else os.fsencode(secret)
    content = file.read()
    return content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\n") else content


def find_target(url: str | None, secret: bytes | None) -> Target:
    """Return URL and secret; the running local stack supplies what is not given.

    The stack's secret signs only deliveries to the stack. Raises UsageError for what is missing.
    """
    stack = local_stack.find() if url is None or secret is None else None
    url = url or (stack.ingest_url if stack else None)
    if not url:
        raise click.UsageError("give --url, or start make serve in another terminal")
    if secret is None and stack and url.rstrip("/") == stack.ingest_url.rstrip("/"):
        secret = stack.webhook_secret.encode()
    if not secret:
        raise click.UsageError("give the webhook's secret with --secret-file")
    return Target(url=url, secret=secret)


def post(target: Target, event: str, delivery_id: str, body: bytes) -> requests.Response:
    """Send the delivery; like GitHub, follow no redirect. Raises ClickException if there is no answer."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/issuewire",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery_id,
        "X-Hub-Signature-256": sign(body, target.secret),
    }
    with http_errors(target.url, TIMEOUT_SECONDS), requests.Session() as session:
        session.trust_env = urlsplit(target.url).hostname not in LOOPBACK  # no proxy reaches this machine
        return session.post(
            target.url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
