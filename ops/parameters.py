"""What several commands take as an argument or option."""

from datetime import UTC, datetime
from typing import Any

import click

from ops.why.timeline import IssueName
from pipeline.delivery import parse_time


class Moment(click.ParamType[datetime]):
    """2026-01-31, or a full RFC 3339 time; UTC unless it says otherwise."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time; a date stands for its first moment."""
        moment = value if isinstance(value, datetime) else parse_time(value)
        return moment or self.fail(
            f"{value!r} is not a date such as 2026-01-31, or a time such as 2026-01-31T08:00Z", param, ctx
        )


class Issue(click.ParamType[IssueName]):
    """OWNER/REPO#123."""

    name = "issue"

    def convert(
        self, value: str | IssueName, param: click.Parameter | None, ctx: click.Context | None
    ) -> IssueName:
        """Return the issue that the text names."""
        found = value if isinstance(value, IssueName) else IssueName.parse(value)
        if found is None:
            self.fail("is not of the form OWNER/REPO#123", param, ctx)
        return found


def check_span(since: datetime | None, until: datetime | None) -> None:
    """Raise UsageError for a span without a moment in it."""
    if since is not None and since > datetime.now(UTC):
        raise click.UsageError(f"--since is in the future: {since:%Y-%m-%d %H:%M:%S} UTC")
    if since is not None and until is not None and until <= since:
        raise click.UsageError("--until is not after --since")
