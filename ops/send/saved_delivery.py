"""A delivery from a file: the payload alone, as GitHub shows it, or a sample with its headers."""

import codecs
import json
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from ops.cli import file_errors
from pipeline.delivery import Delivery
from pipeline.errors import Malformed
from pipeline.events import IssueEvent, parse_payload

_BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MARKS = (("ping", {"zen"}), ("issue_comment", {"issue", "comment"}), ("issues", {"issue"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedDelivery:
    """`body` are the bytes to send; `event` is None if neither the file nor the operator names it."""

    body: bytes
    event: str | None

    def event_name(self) -> str:
        """Return the event, guessed from the payload's keys if need be. Raises UsageError if that fails."""
        if self.event is not None:
            return self.event
        try:
            keys = parse_payload(self.body).keys()
        except Malformed as error:
            raise click.UsageError(f"the payload does not show its event, give --event: {error}") from error
        for name, marks in _MARKS:
            if marks <= keys:
                return name
        raise click.UsageError("the payload does not show its event; give --event")


def read_delivery(file: str, event: str | None) -> SavedDelivery:
    """Read FILE, or stdin if it is `-`; `event` wins over the file's own header. Raises ClickException.

    A sample is an object with the keys `headers` and `body` alone. Its body is sent as compact JSON, as
    GitHub sends it; any other content is the payload, and is sent byte for byte, without a byte order mark.
    """
    with file_errors(file):
        content = _as_utf8(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
    try:
        sample = parse_payload(content)
    except Malformed:
        return SavedDelivery(body=content, event=event)
    match sample:
        case {"headers": {"X-GitHub-Event": str(header)}, "body": dict(body)} if len(sample) == 2:
            text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
            return SavedDelivery(body=text.encode(), event=event or header)
        case _:
            return SavedDelivery(body=content, event=event)


def read_event(file: str, event: str | None) -> IssueEvent:
    """Return the event in a sample's or a payload's file, as if ingest received it now.

    Raises ClickException if there is none.
    """
    saved = read_delivery(file, event)
    delivery = Delivery(
        delivery_id="explained", event=event or "", body=saved.body, received_at=datetime.now(UTC)
    )
    try:
        IssueEvent.from_delivery(delivery)  # before guessing, whose own message would be about --event
    except Malformed as error:
        raise click.ClickException(f"{'stdin' if file == '-' else file}: {error}") from error
    return IssueEvent.from_delivery(replace(delivery, event=saved.event_name()))


def _as_utf8(content: bytes) -> bytes:
    """Return a file that Windows saved with a byte order mark as GitHub sends it, any other unchanged."""
    if not content.startswith(_BYTE_ORDER_MARKS):
        return content
    return content.decode(json.detect_encoding(content)).encode()
