"""Checks a request's query, and answers one page of a list with the Link header to the following page.

Rules: https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, request

from local.github.errors import ApiError

type Json = dict[str, Any]


def check_query(parameters: Sequence[str]) -> None:
    """Raise ApiError for a parameter that the route does not have."""
    if unknown := sorted(set(request.args) - set(parameters)):
        raise ApiError(400, f"unknown parameters: {unknown}")


def by_number(items: Sequence[Json], url: str, *, last: int | None = None) -> Response:
    """Return the page that the parameter `page` names; with `last` no page after that one is listed."""
    size, page = _size(), int(request.args.get("page", "1"))
    pages = max(-(-len(items) // size), 1)
    if last is not None:
        pages = min(pages, last)
        if page > pages:
            message = "In order to keep the API fast for everyone, pagination is limited for this resource."
            raise ApiError(422, message)
    more = {"next": {"page": str(page + 1)}, "last": {"page": str(pages)}} if page < pages else {}
    return _answer(items[(page - 1) * size : page * size], url, more)


def by_cursor(items: Sequence[Json], url: str, *, parameter: str, hidden: str = "") -> Response:
    """Return the page after the item that the parameter names in a form of GitHub's own.

    No item shows the field `hidden`.
    """
    if "page" in request.args:
        raise ApiError(422, "Pagination with the page parameter is not supported for large datasets")
    start, size = 0, _size()
    if parameter in request.args:
        last = int(base64.urlsafe_b64decode(request.args[parameter]))
        places = (place for place, item in enumerate(items) if item["id"] == last)
        start = next(places, len(items) - 1) + 1  # what came after a forgotten item is forgotten too
    found, more = items[start : start + size], {}
    if start + size < len(items):
        more["next"] = {parameter: base64.urlsafe_b64encode(str(found[-1]["id"]).encode()).decode()}
    shown = [{name: value for name, value in item.items() if name != hidden} for item in found]
    return _answer(shown, url, more)


def _size() -> int:
    return min(int(request.args.get("per_page", "30")), 100)


def _answer(items: Sequence[Json], url: str, more: Mapping[str, Mapping[str, str]]) -> Response:
    response = jsonify(items)
    links = [f'<{url}?{urlencode({**request.args, **to})}>; rel="{rel}"' for rel, to in more.items()]
    if links:
        response.headers["Link"] = ", ".join(links)
    return response
