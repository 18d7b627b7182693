"""Where a delivery goes, what signs it, and the request itself."""

import os
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlsplit

import click
import requests

from functions.ingest.signature import sign
from ops import local_stack
from ops.cli import http_errors

TIMEOUT_SECONDS = 30.0
SIGNATURE = "X-Hub-Signature-256"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to send and what to sign with."""

    url: str
    secret: bytes


def read_secret(secret: str | None, file: IO[bytes] | None) -> bytes | None:
    """Return the given secret, or None; like ingest, without the newline that ends a file."""
    if file is None:
        return None if secret is None else os.fsencode(secret)
    content = file.read()
    return content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\n") else content


def find_target(url: str | None, secret: bytes | None, *, required: bool = True) -> Target:
    """Return URL and secret; the running local stack supplies what is not given.

    The stack's secret signs only deliveries to the stack. Raises UsageError for what is missing, which is
    left empty if it is not required.
    """
    stack = local_stack.find() if url is None or secret is None else None
    url = url or (stack.ingest_url if stack else None)
    if not url and required:
        raise click.UsageError("give --url, or start make serve in another terminal")
    if secret is None and stack and url and url.rstrip("/") == stack.ingest_url.rstrip("/"):
        secret = stack.webhook_secret.encode()
    if not secret and required:
        raise click.UsageError("give the webhook's secret with --secret-file")
    return Target(url=url or "", secret=secret or b"")


def headers(event: str, delivery_id: str, body: bytes, secret: bytes) -> dict[str, str]:
    """Return the headers that GitHub sends with a delivery."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/issuewire",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery_id,
        SIGNATURE: sign(body, secret),
    }


def post(target: Target, event: str, delivery_id: str, body: bytes) -> requests.Response:
    """Send the delivery; like GitHub, follow no redirect. Raises ClickException if there is no answer."""
    with http_errors(target.url, TIMEOUT_SECONDS), requests.Session() as session:
        session.trust_env = urlsplit(target.url).hostname not in LOOPBACK  # no proxy reaches this machine
        return session.post(
            target.url,
            data=body,
            headers=headers(event, delivery_id, body, target.secret),
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
