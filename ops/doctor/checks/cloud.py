"""What runs: functions, subscriptions, secrets, tables and views, and the daily proof."""

import shlex
from collections.abc import Callable, Iterator
from typing import Any

from ops.doctor.facts import Part, Proof, Row, Secret, Table
from ops.doctor.finding import Check, Problem

LATE_HOURS = 3.0  # reconcile runs every hour


def _of(kind: str, *, waits: bool = False) -> Callable[[Part], Iterator[Problem]]:
    """Return a check of one kind of part; only of a subscription the problem may be that messages wait."""

    def find(found: Part) -> Iterator[Problem]:
        if found.problem is not None and found.name.startswith(kind) and (" wait" in found.problem) is waits:
            yield Problem(text=f"{found.name} {found.problem}", fix=found.fix)

    return find


def _secret_missing(found: Secret) -> Iterator[Problem]:
    if not found.versions:
        yield Problem(text=f"the secret {found.name} has no enabled version", fix="./deploy.sh secrets")


def _secret_unclean(found: Secret) -> Iterator[Problem]:
    if found.is_unclean:
        yield Problem(
            text=f"the newest version of the secret {found.name} begins or ends with white space",
            fix=f"./deploy.sh secrets rotate {' '.join(found.sources) or 'OWNER/REPO'}",
        )


def _secret_versions(found: Secret) -> Iterator[Problem]:
    if len(found.versions) > 1:
        numbers = ", ".join(map(str, found.versions))
        yield Problem(
            text=f"versions {numbers} of the secret {found.name} are enabled: a rotation is unfinished",
            fix=f"./deploy.sh secrets rotate --finish {' '.join(found.sources) or 'OWNER/REPO'}",
        )


def _table_missing(found: Table) -> Iterator[Problem]:
    if not found.exists:
        yield Problem(text=f"{found.name} does not exist", fix=found.fix)


def _table_foreign(found: Part) -> Iterator[Problem]:
    """Yield what `status` says of a table; a missing one is found with BigQuery's client."""
    problem = found.problem or "missing"
    if found.name.startswith("BigQuery ") and not problem.startswith("missing"):
        yield Problem(text=f"{found.name} {problem}", fix=found.fix)


def _columns(found: Table) -> Iterator[Problem]:
    if found.lacking:
        yield Problem(text=f"{found.name} lacks the columns {', '.join(found.lacking)}", fix=found.fix)


def _view(found: Table) -> Iterator[Problem]:
    if not found.is_current:
        yield Problem(text=f"{found.name} is not the view of this checkout", fix=found.fix)


def _row(found: Row) -> Iterator[Problem]:
    if not found.is_stored:
        wanted = shlex.quote(f'jsonPayload.delivery_id="{found.guid}"')
        yield Problem(
            text=(
                f"BigQuery lacks {found.guid} of {found.source}, "
                f"which ingest accepted at {found.accepted_at:%Y-%m-%d %H:%M} UTC"
            ),
            fix=f"gcloud logging read {wanted} --freshness=4d",
        )


def _late(found: Proof) -> Iterator[Problem]:
    if found.run is not None and (found.hours is None or found.hours > LATE_HOURS):
        last = (
            "has not ended a run" if found.hours is None else f"last ended a run {found.hours:.0f} hours ago"
        )
        yield Problem(text=f"reconcile {last}", fix=found.run)


def _lost(found: Proof) -> Iterator[Problem]:
    for day, source, events in found.lost:
        yield Problem(
            text=f"{events} events of {source} on {day} are lost",
            fix=f"./issuewire backfill {source}" if "/" in source else "./issuewire backfill OWNER/REPO",
        )


CHECKS: tuple[Check[Any], ...] = (
    Check(slug="function_wrong", about=Part, find=_of("function ")),
    Check(slug="schedule_wrong", about=Part, find=_of("schedule ")),
    Check(slug="subscription_wrong", about=Part, find=_of("subscription ")),
    Check(slug="messages_wait", about=Part, find=_of("subscription ", waits=True)),
    Check(slug="messages_held", about=Part, find=_of("dead letters")),
    Check(slug="dead_letter_access", about=Part, find=_of("access ")),
    Check(slug="secret_missing", about=Secret, find=_secret_missing),
    Check(slug="secret_unclean", about=Secret, find=_secret_unclean),
    Check(slug="secret_versions", about=Secret, find=_secret_versions),
    Check(slug="table_missing", about=Table, find=_table_missing),
    Check(slug="table_foreign", about=Part, find=_table_foreign),
    Check(slug="table_columns", about=Table, find=_columns),
    Check(slug="view_differs", about=Table, find=_view),
    Check(slug="row_missing", about=Row, find=_row),
    Check(slug="reconcile_late", about=Proof, find=_late),
    Check(slug="events_lost", about=Proof, find=_lost),
)
