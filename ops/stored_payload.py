"""The payload of a stored delivery, as far as the other columns of its row have it (pure)."""

from collections.abc import Mapping
from typing import Any


def from_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload that the columns of the table `events` make; a column that is missing is null.

    `issue_body` and `comment_body` are no columns: they are taken from the stored payload, if there is one.
    Whether the repository is private is not known.
    """
    payload: dict[str, Any] = {
        "action": row.get("action"),
        "repository": {"id": row.get("repository_id"), "full_name": row.get("repository")},
        "sender": _account(row, "sender"),
        "issue": {
            "number": row.get("issue_number"),
            "title": row.get("issue_title"),
            "body": row.get("issue_body"),
            "state": row.get("issue_state"),
            "user": _account(row, "issue_author"),
            "author_association": row.get("issue_author_association"),
            "labels": [{"name": name} for name in row.get("issue_labels") or ()],
            "assignees": [{"login": login} for login in row.get("issue_assignees") or ()],
            **({"pull_request": {}} if row.get("is_pull_request") else {}),
        },
        "label": {"name": row["label"]} if row.get("label") is not None else None,
    }
    if row.get("event") == "issue_comment":
        payload["comment"] = {
            "user": _account(row, "comment_author"),
            "author_association": row.get("comment_author_association"),
            "body": row.get("comment_body"),
        }
    return payload


def _account(row: Mapping[str, Any], column: str) -> dict[str, Any] | None:
    login = row.get(column)
    return None if login is None else {"login": login, "type": row.get(f"{column}_type")}
