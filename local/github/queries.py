"""What the routes read of a query, and the answer of a list."""

from collections.abc import Mapping

from flask import Response, jsonify, request

from local.github.errors import ApiError
from local.github.paging import Page

type Query = Mapping[str, str]


def read_query(*parameters: str) -> Query:
    """Return the parameters. Raises ApiError for one that the route does not have."""
    unknown = sorted(set(request.args) - set(parameters))
    if unknown:
        raise ApiError(400, f"unknown parameters: {unknown}")
    return request.args


def paged(page: Page) -> Response:
    """Return the answer with the items of the page and its Link header."""
    response = jsonify(page.items)
    if page.link:
        response.headers["Link"] = page.link
    return response
