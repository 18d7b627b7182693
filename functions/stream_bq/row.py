"""The row of an event in the table of sql/events.sql, with every value in a form that BigQuery accepts."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.delivery import SCHEMA, format_time
from pipeline.events import IssueEvent
from pipeline.json_fields import Json

MAX_PAYLOAD_BYTES = 8_000_000
MAX_ROW_BYTES = 9_000_000  # BigQuery takes 10 MB; the client sends the payload as ASCII JSON inside JSON
MAX_DEPTH = 500  # https://cloud.google.com/bigquery/quotas#json_limits
MAX_TEXT = 1_024  # GitHub's longest, a title, has 256
MAX_ENTRIES = 200  # GitHub allows 100 labels; both caps keep a row without its payload below MAX_ROW_BYTES

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_INTEGERS = range(-(2**63), 2**64)
_DIGITS_TO_0 = bytes.maketrans(b"123456789", b"000000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Columns and values. `payload_omitted` is the reason slug if the payload cannot be stored.

    `size` is the number of bytes of the columns as the client sends them: as ASCII JSON.
    """

    columns: dict[str, Any]
    event_at: datetime
    size: int
    payload_omitted: str | None


def to_row(event: IssueEvent, inserted_at: datetime, *, store_payload: bool) -> Row:
    """Return the row of one delivery: times as RFC 3339 text, lists never null, the payload as JSON text."""
    issue, comment = event.issue, event.comment
    columns: dict[str, Any] = {
        "delivery_id": event.delivery_id,
        "event": event.event,
        "action": event.action,
        "event_at": event.event_at,
        "received_at": event.received_at,
        "inserted_at": inserted_at,
        "source": event.source,
        "repository_id": event.repository_id,
        "repository": event.repository,
        "organization": event.organization,
        "sender": event.sender,
        "sender_type": event.sender_type,
        "issue_id": issue and issue.id,
        "issue_number": issue and issue.number,
        "issue_title": issue and issue.title,
        "issue_url": issue and issue.url,
        "issue_state": issue and issue.state,
        "issue_state_reason": issue and issue.state_reason,
        "issue_author": issue and issue.author,
        "issue_author_type": issue and issue.author_type,
        "issue_author_association": issue and issue.author_association,
        "issue_milestone": issue and issue.milestone,
        "issue_labels": issue.labels if issue else (),
        "issue_assignees": issue.assignees if issue else (),
        "issue_comments": issue and issue.comments,
        "issue_created_at": issue and issue.created_at,
        "issue_updated_at": issue and issue.updated_at,
        "issue_closed_at": issue and issue.closed_at,
        "is_pull_request": event.is_pull_request,
        "label": event.label,
        "assignee": event.assignee,
        "comment_id": comment and comment.id,
        "comment_author": comment and comment.author,
        "comment_author_type": comment and comment.author_type,
        "comment_author_association": comment and comment.author_association,
        "comment_created_at": comment and comment.created_at,
        "comment_url": comment and comment.url,
        "transferred_to_repository": event.transferred_to and event.transferred_to.repository,
        "transferred_to_number": event.transferred_to and event.transferred_to.number,
        "transferred_from_repository": event.transferred_from and event.transferred_from.repository,
        "transferred_from_number": event.transferred_from and event.transferred_from.number,
        "payload_bytes": event.payload_bytes,
        "schema_version": int(SCHEMA),
        "hook_id": event.hook_id,
        "issue_type": issue and issue.type,
        "issue_status": issue and issue.status,
        "issue_status_category": issue and issue.status_category,
        "via_app": (comment and comment.via_app) or (issue and issue.via_app),
    }
    row = {name: _storable(value) for name, value in columns.items()}
    payload, omitted = _payload(event.payload) if store_payload else (None, None)
    size = len(json.dumps(row | {"payload": payload}))
    if size > MAX_ROW_BYTES:
        payload, omitted = None, "payload_too_large"
        size = len(json.dumps(row | {"payload": None}))
    return Row(
        columns=row | {"payload": payload}, event_at=event.event_at, size=size, payload_omitted=omitted
    )


def _storable(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, str):
        return _clean_text(value)[:MAX_TEXT]
    if isinstance(value, tuple):
        return [_clean_text(item)[:MAX_TEXT] for item in value[:MAX_ENTRIES]]
    return value


def _payload(payload: Json) -> tuple[str | None, str | None]:
    """Return the payload as JSON text, or None and the reason."""
    try:
        text = _compact(payload)
        if _may_need_cleaning(text):
            text = _compact(_clean(payload, depth=1))
    except RecursionError:
        return None, "payload_too_deep"
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        return None, "payload_too_large"
    return text, None


def _may_need_cleaning(text: str) -> bool:
    """Return whether the JSON text may have what `_clean` removes. This is quick, and almost always false."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return True
    is_deep = raw.count(b"[") + raw.count(b"{") > MAX_DEPTH
    has_large_integer = b"0" * 19 in raw.translate(_DIGITS_TO_0)
    return is_deep or has_large_integer or any(part in raw for part in (b"\\u0000", b"NaN", b"Infinity"))


def _compact(payload: Any) -> str:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def _clean(value: Any, depth: int) -> Any:
    """Return `value` without what BigQuery's JSON type refuses. Raises RecursionError beyond MAX_DEPTH."""
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, float):
        return value if value - value == 0 else None  # JSON has no NaN and no infinity
    if isinstance(value, int):
        return value if value in _INTEGERS else str(value)
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        return {_clean_text(name): _clean(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    return value


def _clean_text(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)
