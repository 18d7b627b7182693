"""Reads a webhook request: the body with a cap on its size, then the delivery in it."""

import contextlib
import re
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from pipeline.delivery import MAX_BODY_BYTES, Delivery, fits_attribute
from pipeline.errors import Malformed, Rejected
from pipeline.events import parse_payload
from pipeline.logs import trace_id

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

_CHUNK_BYTES = 64 * 1024
_DISCARD_BYTES = 32 * 1024 * 1024  # Cloud Run takes no more; a client reads no answer while it sends
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")  # 128: BigQuery's longest row id

Header = Callable[[str], str | None]


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, and no bytes at the end."""


def read_body(stream: Readable, announced: int | None) -> bytes:
    """Return the whole body; `announced` is its Content-Length.

    At most 25 MiB are kept in memory. Raises Rejected 413 for a larger body, announced or not, and 400 for
    one that breaks off or is wrongly framed.
    """
    body = bytearray()
    if announced is None or announced <= MAX_BODY_BYTES:
        while len(body) <= MAX_BODY_BYTES and (chunk := _read(stream, _CHUNK_BYTES)):
            body += chunk
    if len(body) > MAX_BODY_BYTES or (announced or 0) > MAX_BODY_BYTES:
        _discard(stream)
        raise Rejected(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", "The body is larger than 25 MiB."
        )
    if announced is not None and len(body) < announced:
        raise Rejected(HTTPStatus.BAD_REQUEST, "body_short", "The body is shorter than its Content-Length.")
    return bytes(body)


def check_type(media_type: str, encoding: str | None) -> None:
    """Raise Rejected 415 unless the body is JSON or a form, without a content encoding."""
    if media_type not in {JSON, FORM}:
        raise Rejected(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "content_type",
            "In the webhook's settings at GitHub, set Content type to application/json.",
        )
    if encoding not in {None, "", "identity"}:
        raise Rejected(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "content_encoding",
            "Content-Encoding is not supported; send the body as it was signed.",
        )


def read_delivery(header: Header, media_type: str, body: bytes, now: datetime) -> Delivery:
    """Return the delivery of a verified request. Raises Rejected 400, naming what is wrong."""
    event = _token(header, "X-GitHub-Event")
    delivery_id = _token(header, "X-GitHub-Delivery")
    text = _form_payload(body) if media_type == FORM else body
    try:
        payload = parse_payload(text, strict=True)
    except Malformed as error:
        raise Rejected(HTTPStatus.BAD_REQUEST, error.reason, str(error)) from error
    traceparent = header("traceparent")
    return Delivery(
        delivery_id=delivery_id,
        event=event,
        body=text,
        received_at=now,
        action=_text(payload.get("action")),
        repository=_full_name(payload.get("repository")),
        traceparent=traceparent if trace_id(traceparent) else None,
    )


def unverified_delivery_id(header: Header) -> str | None:
    """Return the delivery id that a request names, for the log, or None if it is missing or malformed."""
    value = header("X-GitHub-Delivery")
    return value if value is not None and _TOKEN.fullmatch(value) else None


def _read(stream: Readable, size: int) -> bytes:
    try:
        return stream.read(size)
    except Exception as error:  # the server's parser raises classes of its own without a common base
        raise Rejected(
            HTTPStatus.BAD_REQUEST, "body_broken", "The body broke off or is wrongly framed."
        ) from error


def _discard(stream: Readable) -> None:
    left = _DISCARD_BYTES
    with contextlib.suppress(Rejected):  # even if it breaks off, the answer is that it is too large
        while left > 0 and (chunk := _read(stream, _CHUNK_BYTES)):
            left -= len(chunk)


def _token(header: Header, name: str) -> str:
    value = header(name)
    if value is None or not _TOKEN.fullmatch(value):
        state = "missing" if value is None else "malformed"
        raise Rejected(HTTPStatus.BAD_REQUEST, f"header_{state}", f"The header {name} is {state}.")
    return value


def _form_payload(body: bytes) -> bytes:
    """Return the exact bytes of the one field `payload`. The signature covers the whole form."""
    fields = [field.partition(b"=") for field in body.split(b"&")]
    payloads = [value for name, _, value in fields if name == b"payload"]
    if len(payloads) != 1:
        raise Rejected(
            HTTPStatus.BAD_REQUEST, "form_payload", "The form does not have exactly one field payload."
        )
    return unquote_to_bytes(payloads[0].replace(b"+", b" "))


def _text(value: Any) -> str | None:
    """Return the text if it fits an attribute: then a log line cannot carry a body either."""
    return value if isinstance(value, str) and fits_attribute(value) else None


def _full_name(repository: Any) -> str | None:
    return _text(repository.get("full_name")) if isinstance(repository, dict) else None
