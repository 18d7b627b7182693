"""One page of a list, and the Link header that leads to the following one.

Rules: https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from local.github.errors import ApiError


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The items of one page, and its Link header's value; empty on the last page."""

    items: Sequence[dict[str, Any]]
    link: str


def by_number(
    items: Sequence[dict[str, Any]], query: Mapping[str, str], url: str, *, last: int | None = None
) -> Page:
    """Return the page that the parameter `page` names; with `last` no page after that one is listed."""
    size, page = _size(query), int(query.get("page", "1"))
    pages = max(-(-len(items) // size), 1)
    if last is not None:
        pages = min(pages, last)
        if page > pages:
            message = "In order to keep the API fast for everyone, pagination is limited for this resource."
            raise ApiError(422, message)
    more = {"next": {"page": str(page + 1)}, "last": {"page": str(pages)}} if page < pages else {}
    return Page(items=items[(page - 1) * size : page * size], link=_link(url, query, more))


def by_cursor(items: Sequence[dict[str, Any]], query: Mapping[str, str], url: str, *, parameter: str) -> Page:
    """Return the page after the item that the parameter names in a form of GitHub's own."""
    if "page" in query:
        raise ApiError(422, "Pagination with the page parameter is not supported for large datasets")
    start, size = 0, _size(query)
    if parameter in query:
        last = base64.urlsafe_b64decode(query[parameter]).decode()
        start = 1 + next(place for place, item in enumerate(items) if str(item["id"]) == last)
    found = items[start : start + size]
    more = {}
    if start + size < len(items):
        more["next"] = {parameter: base64.urlsafe_b64encode(str(found[-1]["id"]).encode()).decode()}
    return Page(items=found, link=_link(url, query, more))


def _size(query: Mapping[str, str]) -> int:
    return min(int(query.get("per_page", "30")), 100)


def _link(url: str, query: Mapping[str, str], more: Mapping[str, Mapping[str, str]]) -> str:
    return ", ".join(f'<{url}?{urlencode({**query, **where})}>; rel="{rel}"' for rel, where in more.items())
