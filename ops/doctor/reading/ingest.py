"""Calls ingest as a stranger does: an unsigned GET, and a delivery with a forged signature."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from functions.ingest.signature import sign
from ops.doctor.facts import Clock, Ingest
from ops.doctor.finding import NotChecked

SECONDS = 15.0
_FORGED = "sha256=" + "0" * 64
_BODY = json.dumps({"zen": "doctor"}).encode()


def read_ingest(
    url: str, *, secret: str | None = None, restart: str = "./deploy.sh ingest"
) -> Iterator[object]:
    """Yield what ingest answers, and its clock; with the secret a signed ping is sent, too."""
    try:
        with requests.Session() as session:
            got = _ask(session, "GET", url)
            forged = _ask(session, "POST", url, _FORGED)
            signed = _ask(session, "POST", url, sign(_BODY, secret.encode())) if secret else None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, ValueError) as error:
        yield NotChecked(what="ingest", why=f"INGEST_URL cannot be used: {error}", fix="./deploy.sh status")
        return
    yield Ingest(
        url=url,
        get=_status(got),
        forged=_status(forged),
        signed=_status(signed) if secret else 200,
        restart=restart,
    )
    if got is not None and (ahead := _ahead(got)) is not None:
        yield Clock(service="ingest", ahead=ahead)


def read_status(url: str) -> int | None:
    """Return the status of the answer to a GET, None if there is none."""
    with requests.Session() as session:
        return _status(_ask(session, "GET", url))


def _ask(
    session: requests.Session, method: str, url: str, signature: str | None = None
) -> requests.Response | None:
    headers = {"User-Agent": "issuewire-doctor"}
    if signature is not None:
        headers |= {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
        headers |= {"X-GitHub-Event": "ping", "X-GitHub-Delivery": "00000000-0000-0000-0000-000000000000"}
    body = None if signature is None else _BODY
    try:
        return session.request(
            method, url, data=body, headers=headers, timeout=SECONDS, allow_redirects=False
        )
    except (requests.Timeout, requests.ConnectionError):
        return None


def _status(answer: requests.Response | None) -> int | None:
    return None if answer is None else answer.status_code


def _ahead(answer: requests.Response) -> float | None:
    try:
        date = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
    return (datetime.now(UTC) - date).total_seconds()
