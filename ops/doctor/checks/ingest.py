"""ingest as GitHub sees it, and the clocks."""

from collections.abc import Iterator
from typing import Any

from ops.doctor.facts import Clock, Ingest
from ops.doctor.finding import Check, Problem

CLOCK_SECONDS = 60.0
_FORBIDDEN, _UNAUTHORIZED, _NOT_ALLOWED = 403, 401, 405


def _down(found: Ingest) -> Iterator[Problem]:
    for what, status in (("a request", found.get), ("a delivery", found.forged)):
        if status is None or status >= 500:
            answer = "gives no answer" if status is None else f"answers {status}"
            yield Problem(text=f"ingest at {found.url} {answer} to {what}", fix=found.restart)
            return


def _private(found: Ingest) -> Iterator[Problem]:
    if _FORBIDDEN in {found.get, found.forged}:
        yield Problem(text=f"GitHub may not call ingest at {found.url} (403)", fix=found.restart)


def _open(found: Ingest) -> Iterator[Problem]:
    if found.forged is not None and 200 <= found.forged < 300:
        yield Problem(
            text=f"ingest at {found.url} accepts a forged delivery ({found.forged})", fix=found.restart
        )


def _other(found: Ingest) -> Iterator[Problem]:
    """Yield what answers as no ingest does, unless another check is about it."""
    expected = (("a GET", found.get, _NOT_ALLOWED), ("a forged delivery", found.forged, _UNAUTHORIZED))
    for what, status, due in expected:
        if status is None or status >= 500 or status in {due, _FORBIDDEN}:
            continue
        if due == _UNAUTHORIZED and 200 <= status < 300:
            continue
        yield Problem(
            text=f"{found.url} is not ingest: it answers {what} with {status} instead of {due}",
            fix=found.restart,
        )
        return


def _signed(found: Ingest) -> Iterator[Problem]:
    if found.signed != 200 and found.forged == _UNAUTHORIZED:
        answer = "with nothing" if found.signed is None else f"with {found.signed}"
        yield Problem(text=f"ingest at {found.url} answers a signed ping {answer}", fix=found.restart)


def _clock(found: Clock) -> Iterator[Problem]:
    if abs(found.ahead) > CLOCK_SECONDS:
        way = "ahead of" if found.ahead > 0 else "behind"
        yield Problem(
            text=f"this machine's clock is {abs(found.ahead):.0f} s {way} that of {found.service}",
            fix="sudo timedatectl set-ntp true",
        )


CHECKS: tuple[Check[Any], ...] = (
    Check(slug="ingest_down", about=Ingest, find=_down),
    Check(slug="ingest_private", about=Ingest, find=_private),
    Check(slug="ingest_open", about=Ingest, find=_open),
    Check(slug="ingest_elsewhere", about=Ingest, find=_other),
    Check(slug="ping_refused", about=Ingest, find=_signed),
    Check(slug="clock_off", about=Clock, find=_clock),
)
