"""Field masks, durations and pages, which several of Google's APIs read the same way."""

import copy
import re
from typing import Any

from tests.deploy.cloud.messages import ApiError

__all__ = ["apply_mask", "page_of", "seconds", "unwrap_mask"]


def unwrap_mask(mask: Any) -> list[str]:
    """Split a field mask, in either spelling, into paths in camel case; 400 for an empty one."""
    paths = [_camel(path.strip()) for path in str(mask or "").split(",") if path.strip()]
    if not paths:
        raise ApiError(400, "The update_mask in the request must be set.")
    return paths


def apply_mask(old: dict[str, Any], new: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """Return `old` with the paths taken from `new`; a path that `new` lacks is removed."""
    result = copy.deepcopy(old)
    for path in paths:
        _copy_path(result, new, path.split("."))
    return result


def seconds(duration: Any, field: str) -> float:
    """Read a duration such as `600s`; 400 for any other text."""
    if not (isinstance(duration, str) and re.fullmatch(r"\d+(\.\d+)?s", duration)):
        raise ApiError(400, f"Invalid value at '{field}' (type.googleapis.com/google.protobuf.Duration).")
    return float(duration[:-1])


def page_of[T](
    items: list[T], query: dict[str, str], name: str = "pageSize"
) -> tuple[list[T], dict[str, str]]:
    """Return one page of a list, and `nextPageToken` if more items follow."""
    size = int(query.get(name) or 0) or 100
    start = int(query.get("pageToken") or 0)
    more = {"nextPageToken": str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], more


def _copy_path(target: dict[str, Any], source: dict[str, Any], path: list[str]) -> None:
    head, *rest = path
    if not rest:
        if head in source:
            target[head] = copy.deepcopy(source[head])
        else:
            target.pop(head, None)
        return
    inner = source.get(head)
    _copy_path(target.setdefault(head, {}), inner if isinstance(inner, dict) else {}, rest)


def _camel(path: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), path)
