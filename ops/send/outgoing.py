"""A delivery that is to be sent: that of a file, or one that the options describe."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from ops.send.known_issue import Json, KnownIssue, after, issue_name
from ops.send.payload_spec import Impossible, PayloadSpec, build
from ops.send.saved_delivery import read_delivery
from pipeline.errors import Malformed
from pipeline.events import parse_payload

type Name = tuple[str, int]

_OF_ISSUES = {"issues", "issue_comment"}
_COMMENT_IDS = 2**40  # far above GitHub's own, which `send` must not meet


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Event and body; `issue` is the issue after it, None if it is about none or the issue is gone."""

    event: str
    body: bytes
    title: str
    issue: KnownIssue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The delivery before it is known what was sent before; `name` is that of the issue that it is about.

    `spec` is what the options describe, None for a file.
    """

    name: Name | None
    finish: Callable[[KnownIssue | None], Outgoing]
    spec: PayloadSpec | None = None


def from_file(file: str, event: str | None) -> Draft:
    """Return the delivery in a file, which no earlier one changes. Raises ClickException."""
    saved = read_delivery(file, event)
    event, payload = saved.event_name(), _object(saved.body)
    name = issue_name(payload) if event in _OF_ISSUES else None
    return Draft(name=name, finish=lambda known: _outgoing(event, payload, saved.body, name, known))


def from_options(event: str | None, values: dict[str, Any]) -> Draft:
    """Return the delivery that the options describe. Raises UsageError."""
    spec = PayloadSpec(
        event=event or "issues", **{name: value for name, value in values.items() if value is not None}
    )

    def finish(known: KnownIssue | None) -> Outgoing:
        try:
            built = build(spec, known, datetime.now(UTC), comment_id=_COMMENT_IDS + secrets.randbelow(2**40))
        except Impossible as error:
            raise click.UsageError(str(error)) from error
        body = json.dumps(built.payload).encode()
        return _outgoing(built.name, built.payload, body, spec.issue_name, known)

    return Draft(name=spec.issue_name, finish=finish, spec=spec)


def describe(event: str, payload: Json, name: Name | None, *, is_known: bool) -> str:
    """Return the event, its action and its issue in words."""
    action = payload.get("action")
    title = f"{event}.{action}" if isinstance(action, str) else event
    if name is None:
        return title
    return f"{title} of {'' if is_known or action == 'opened' else 'the new issue '}{name[0]}#{name[1]}"


def _outgoing(
    event: str, payload: Json, body: bytes, name: Name | None, known: KnownIssue | None
) -> Outgoing:
    title = describe(event, payload, name, is_known=known is not None)
    issue = after(known, event, payload) if name else None
    return Outgoing(event=event, body=body, title=title, issue=issue)


def _object(body: bytes) -> Json:
    """Return the payload, empty if it is no JSON object: any bytes can be sent."""
    try:
        return parse_payload(body)
    except Malformed:
        return {}
