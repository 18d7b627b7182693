"""Reads a webhook request: its headers, and the delivery in its body."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from pipeline.delivery import Delivery, fits_attribute, parse_number
from pipeline.errors import Malformed, Rejected
from pipeline.events import issue_number, parse_payload
from pipeline.logs import trace_id

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")  # 128: BigQuery's longest row id

Header = Callable[[str], str | None]


def header_reader(raw: Iterable[tuple[bytes, bytes]]) -> Header:
    """Return a reader of a request's headers: a repeated one reads as one with commas, as HTTP defines."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return lambda name: headers.get(name.lower())


def announced_bytes(header: Header) -> int | None:
    """Return the Content-Length, which the server has checked, or None if there is none."""
    text = header("Content-Length")
    return int(text) if text and text.isdecimal() else None


def check_framing(header: Header) -> None:
    """Raise Rejected 400 for a body with a length and in chunks: two servers could read it differently."""
    if header("Content-Length") is not None and header("Transfer-Encoding") is not None:
        raise Rejected(
            HTTPStatus.BAD_REQUEST, "body_broken", "The body has both a Content-Length and chunks."
        )


def check_type(header: Header) -> None:
    """Raise Rejected 415 unless the body is JSON or a form, without a content encoding."""
    if _media_type(header) not in {JSON, FORM}:
        raise Rejected(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "content_type",
            "In the webhook's settings at GitHub, set Content type to application/json.",
        )
    if header("Content-Encoding") not in {None, "", "identity"}:
        raise Rejected(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "content_encoding",
            "Content-Encoding is not supported; send the body as it was signed.",
        )


def read_delivery(header: Header, body: bytes, now: datetime) -> Delivery:
    """Return the delivery of a verified request. Raises Rejected 400, naming what is wrong."""
    event = _token(header, "X-GitHub-Event")
    delivery_id = _token(header, "X-GitHub-Delivery")
    text = _form_payload(body) if _media_type(header) == FORM else body
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
        issue=issue_number(payload),
        traceparent=traceparent if trace_id(traceparent) else None,
        hook_id=parse_number(header("X-GitHub-Hook-ID")),
    )


def unverified_delivery_id(header: Header) -> str | None:
    """Return the delivery id that a request names, for the log, or None if it is missing or malformed."""
    value = header("X-GitHub-Delivery")
    return value if value is not None and _TOKEN.fullmatch(value) else None


def _media_type(header: Header) -> str:
    return (header("Content-Type") or "").partition(";")[0].strip().lower()


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
