"""One GitHub delivery as a Pub/Sub message: the signed bytes are the data, their meaning the attributes."""

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

from pipeline.errors import Malformed

Source = Literal["webhook", "reconcile", "backfill", "replay"]

SCHEMA = "1"
MAX_BODY_BYTES = 25 * 1024 * 1024  # GitHub sends no larger payload
GZIP_ABOVE_BYTES = 9_000_000  # Pub/Sub takes 10,000,000 bytes in all
_MAX_ATTRIBUTE_BYTES = 1024  # https://cloud.google.com/pubsub/quotas#resource_limits
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_DIGITS = re.compile(r"[0-9]{1,19}")
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A verified delivery; `body` is the exact JSON text that GitHub signed.

    `issue` is the number of its issue, which ingest knows for its log; no attribute carries it.
    `redriven` is how often a held message was published again. `only` names the one subscription that a
    replay is meant for.
    """

    delivery_id: str
    event: str
    body: bytes
    received_at: datetime
    action: str | None = None
    repository: str | None = None
    issue: int | None = None
    traceparent: str | None = None
    source: Source = "webhook"
    hook_id: int | None = None
    redriven: int = 0
    only: str | None = None

    def to_message(self) -> tuple[bytes, dict[str, str]]:
        """Return data and attributes for Pub/Sub. An attribute that does not apply is absent."""
        optional = {
            "action": self.action,
            "repository": self.repository,
            "traceparent": self.traceparent,
            "hook_id": None if self.hook_id is None else str(self.hook_id),
            "redriven": str(self.redriven) if self.redriven else None,
            "only": self.only,
        }
        attributes = {
            "event": self.event,
            "delivery_id": self.delivery_id,
            "received_at": format_time(self.received_at),
            "source": self.source,
            "schema": SCHEMA,
            **{
                name: value for name, value in optional.items() if value is not None and fits_attribute(value)
            },
        }
        if len(self.body) <= GZIP_ABOVE_BYTES:
            return self.body, attributes
        return gzip.compress(self.body, compresslevel=6, mtime=0), {**attributes, "content_encoding": "gzip"}

    @classmethod
    def from_push(cls, push: object) -> "Delivery":
        """Read a push body or the data of a CloudEvent: {"message": {data, attributes, publishTime, ...}}.

        Only what both envelopes carry is read: data, attributes (may be missing) and publishTime.
        Raises Malformed if it is not a message of ours.
        """
        message = push.get("message") if isinstance(push, dict) else None
        if not isinstance(message, dict):
            raise Malformed("message_missing", "The push body has no Pub/Sub message.")
        attributes = message.get("attributes") or {}
        if not isinstance(attributes, dict):
            raise Malformed("attributes_malformed", "The message's attributes are not an object.")
        return cls(
            delivery_id=_required(attributes, "delivery_id"),
            event=_required(attributes, "event"),
            body=read_body(message.get("data"), attributes.get("content_encoding")),
            received_at=_received_at(attributes.get("received_at"), message.get("publishTime")),
            action=attributes.get("action"),
            repository=attributes.get("repository"),
            traceparent=attributes.get("traceparent"),
            source=_source(attributes.get("source", "webhook")),
            hook_id=parse_number(attributes.get("hook_id")),
            redriven=parse_number(attributes.get("redriven")) or 0,
            only=addressee(push),
        )


def addressee(push: object) -> str | None:
    """Return the one subscription that the message of a push body is meant for, or None for all."""
    only = _attributes(push).get("only")
    return only if isinstance(only, str) and only else None


def unverified_ids(push: object) -> dict[str, str]:
    """Return the message_id, delivery_id and repository that a push body names, for the log of an error.

    One that is missing, or that a log could not show on one line, is left out.
    """
    attributes = _attributes(push)
    ids = {
        "message_id": _message(push).get("messageId"),
        "delivery_id": attributes.get("delivery_id"),
        "repository": attributes.get("repository"),
    }
    return {name: value for name, value in ids.items() if isinstance(value, str) and fits_attribute(value)}


def read_body(data: object, encoding: object) -> bytes:
    """Return the JSON text in a message's data. Raises Malformed if it is not as `to_message` wrote it."""
    try:
        raw = base64.b64decode(cast("str", data), validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise Malformed("data_malformed", "The message's data is not base64.") from error
    return unpack(raw, encoding)


def unpack(raw: bytes, encoding: object) -> bytes:
    """Return the JSON text in data that are not base64. Raises Malformed."""
    if encoding is None:
        return raw
    if encoding != "gzip":
        raise Malformed("encoding_unknown", "The attribute content_encoding is not gzip.")
    return _gunzip(raw)


def format_time(moment: datetime) -> str:
    """Return RFC 3339 in UTC with microseconds: 2026-01-02T03:04:05.000006Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_time(text: object) -> datetime | None:
    """Return the UTC time in an RFC 3339 text, or None if it is not one. A text without a zone is UTC."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_number(text: object) -> int | None:
    """Return the number that decimal digits name, or None if it is none that a 64-bit column stores."""
    if not isinstance(text, str) or not _DIGITS.fullmatch(text):
        return None
    number = int(text)
    return number if number <= _INT64_MAX else None


def fits_attribute(value: str) -> bool:
    """Return whether Pub/Sub takes the text as an attribute's value and a log shows it unchanged."""
    return len(value) <= _MAX_ATTRIBUTE_BYTES and _PRINTABLE.fullmatch(value) is not None


def _message(push: object) -> Mapping[str, Any]:
    message = push.get("message") if isinstance(push, dict) else None
    return message if isinstance(message, dict) else {}


def _attributes(push: object) -> Mapping[str, Any]:
    attributes = _message(push).get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _required(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{name}_missing", f"The message has no attribute {name}.")
    return value


def _source(value: object) -> Source:
    if value not in get_args(Source):
        raise Malformed(
            "source_unknown", f"The attribute source is not one of {', '.join(get_args(Source))}."
        )
    return cast("Source", value)


def _received_at(received_at: object, publish_time: object) -> datetime:
    moment = parse_time(received_at) or parse_time(publish_time)
    if moment is None:
        raise Malformed("received_at_missing", "The message has neither received_at nor publishTime.")
    return moment


def _gunzip(raw: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(raw, MAX_BODY_BYTES)
    except zlib.error as error:
        raise Malformed("gzip_malformed", "The message's data is not gzip.") from error
    if not inflater.eof:
        raise Malformed("gzip_malformed", "The message's data is cut short, or is over 25 MiB unpacked.")
    return body
