"""The year that `make serve ARGS="--seed year"` shows, until now; and titles of attackers."""

from datetime import UTC, datetime
from typing import Any

from local.seed.year import year

NOW = datetime.now(UTC)

HOSTILE_TITLES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></svg><h1>owned</h1>",
    "\u202egnp.exe is displayed backwards",
    "Price shows $\\frac{1}{2}$ & 5 < 6",
    "W" * 256,
)


def rows() -> list[dict[str, Any]]:
    """Return the rows of the year before NOW, the oldest first; every tenth issue has a hostile title."""
    return [_with_hostile_title(sent.row()) for sent in year(NOW)]


def _with_hostile_title(row: dict[str, Any]) -> dict[str, Any]:
    tens, rest = divmod(row["issue_number"], 10)
    return row if rest else row | {"issue_title": HOSTILE_TITLES[tens % len(HOSTILE_TITLES)]}
