"""An answer is read for its links, its share of the list, its waits and its message."""

from datetime import UTC, datetime
from typing import Any

import pytest

from clients.github.responses import Response, limit_wait, seconds_until_reset, share

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "https://api.github.com/repositories/1/issues"


def response(status: int = 200, content: Any = None, **headers: str) -> Response:
    """Return an answer with these headers; an underscore stands for a hyphen."""
    return Response(
        url=URL,
        status=status,
        reason="",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        content=content,
        date=NOW,
    )


def linked(**links: str) -> Response:
    """Return an answer whose Link header has these queries by their rel."""
    return response(link=", ".join(f'<{URL}?{query}>; rel="{rel}"' for rel, query in links.items()))


def test_links_are_read_by_their_rel() -> None:
    """Every URL of a Link header is found, with all of its query."""
    links = linked(prev="page=1", next="state=all&page=3", last="page=9").links
    assert links["next"] == f"{URL}?state=all&page=3"
    assert set(links) == {"prev", "next", "last"}
    assert response().links == {}


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ({"next": "page=3", "last": "page=4"}, 0.5),
        ({"prev": "page=3"}, 1.0),
        ({}, 1.0),
        ({"next": "after=Y3Vyc29y"}, None),
        ({"next": "page=2"}, None),
    ],
)
def test_the_share_of_a_list(links: dict[str, str], expected: float | None) -> None:
    """The pages up to this one, of all pages; unknown for a list that is paged by cursor."""
    assert share(linked(**links)) == expected


@pytest.mark.parametrize(
    ("reset", "expected"),
    [
        (str(int(NOW.timestamp()) + 60), 61.0),
        (str(int(NOW.timestamp()) - 60), 1.0),
        ("soon", None),
        ("9" * 12, None),
    ],
)
def test_the_wait_until_the_next_window(reset: str, expected: float | None) -> None:
    """The wait is one second longer than GitHub says, and unknown if GitHub's time is malformed."""
    headers = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": reset}
    assert seconds_until_reset(response(**headers)) == expected
    assert seconds_until_reset(response(**headers | {"x_ratelimit_remaining": "1"})) is None


def test_only_a_refusal_for_a_limit_is_waited_for() -> None:
    """A 403 without a sign of a limit, and every other status, is not waited for."""
    assert limit_wait(response(200, retry_after="5"), 0) is None
    assert limit_wait(response(403, {"message": "Forbidden"}), 0) is None
    assert limit_wait(response(403, {"message": "API Rate Limit exceeded"}), 0) == 60
    assert limit_wait(response(429), 2) == 240
    assert limit_wait(response(429, retry_after="5"), 2) == 5


@pytest.mark.parametrize("content", [None, [], "x", {"message": 5}, {}])
def test_a_message_may_be_missing(content: Any) -> None:
    """An answer without GitHub's sentence has an empty message."""
    assert response(content=content).message == ""


def test_a_message_is_one_short_line() -> None:
    """Line breaks become spaces, and at most 200 characters are kept."""
    assert response(content={"message": "a\n  b"}).message == "a b"
    assert len(response(content={"message": "x" * 999}).message) == 200
