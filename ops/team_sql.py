"""Fills in the views of sql/team from config/team.toml.

deploy.sh runs this too, with any Python from 3.8 on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import time

    from pipeline.team import Team

_MINUTES_A_DAY = 24 * 60


def fill_in(sql: str, team: Team | None) -> str:
    """Return the SQL with the team's values; None is the team without a file."""
    values = {
        "ACCOUNTS": "",
        "ZONE": "UTC",
        "OPENING_MINUTE": "0",
        "CLOSING_MINUTE": str(_MINUTES_A_DAY),
        "WEEKDAYS": "1, 2, 3, 4, 5, 6, 7",
        "HOLIDAYS": "",
    }
    for name, value in (values if team is None else {**values, **_values(team)}).items():
        sql = sql.replace(f"${{{name}}}", value)
    return sql


def _values(team: Team) -> dict[str, str]:
    roles = {**dict.fromkeys(team.logins, "team"), **dict.fromkeys(team.bots, "bot")}
    hours = team.hours
    return {
        # A JSON string is a string of BigQuery, too.
        "ACCOUNTS": ", ".join(f"STRUCT({json.dumps(login)}, '{role}')" for login, role in roles.items()),
        "ZONE": str(hours.zone),
        "OPENING_MINUTE": str(_minutes(hours.opens)),
        "CLOSING_MINUTE": str(_minutes(hours.closes) or _MINUTES_A_DAY),
        "WEEKDAYS": ", ".join(map(str, sorted((day + 1) % 7 + 1 for day in hours.days))),  # Sunday is 1
        "HOLIDAYS": ", ".join(f"DATE '{day}'" for day in sorted(hours.holidays)),
    }


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute
