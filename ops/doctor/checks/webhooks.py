"""The webhook at GitHub, and how its deliveries were answered."""

import shlex
from collections.abc import Iterator
from typing import Any

from clients.github.hook_deliveries import APP
from ops.doctor.facts import Deliveries, Webhooks
from ops.doctor.finding import Check, Problem

AGAIN = "./issuewire doctor"
REDRIVE = "./deploy.sh status"  # reconcile asks for what the App did not deliver, if it runs
_UNAUTHORIZED = 401
_REFUSED = {400, 413, 415}  # no other attempt can succeed


def _missing(found: Webhooks) -> Iterator[Problem]:
    if not found.hooks:
        yield Problem(text=f"{found.source} has no webhook that points to ingest", fix=_set_up(found))


def _doubled(found: Webhooks) -> Iterator[Problem]:
    base = f"{'repos' if '/' in found.source else 'orgs'}/{found.source}"
    for hook in sorted(found.hooks, key=lambda hook: (not hook.is_active, hook.id))[1:]:
        yield Problem(
            text=f"{found.source} has more than one webhook that points to ingest, {hook.id} as well",
            fix=f"gh api --method DELETE {base}/hooks/{hook.id}",
        )


def _inactive(found: Webhooks) -> Iterator[Problem]:
    for hook in found.hooks:
        if not hook.is_active:
            yield Problem(text=f"the webhook of {found.source} is not active", fix=_set_up(found))


def _content_type(found: Webhooks) -> Iterator[Problem]:
    for hook in found.hooks:
        if hook.content_type != "json":
            yield Problem(
                text=f"the webhook of {_named(found.source)} sends {hook.content_type} instead of JSON",
                fix=_set_up(found),
            )


def _events(found: Webhooks) -> Iterator[Problem]:
    for hook in found.hooks:
        lacking = [event for event in found.events if not {event, "*"} & set(hook.events)]
        if lacking:
            yield Problem(
                text=f"the webhook of {_named(found.source)} does not deliver {', '.join(lacking)}",
                fix=_set_up(found),
            )


def _insecure(found: Webhooks) -> Iterator[Problem]:
    for hook in found.hooks:
        if not hook.verifies_tls:
            yield Problem(
                text=f"the webhook of {_named(found.source)} does not verify ingest's certificate",
                fix=_set_up(found),
            )


def _secret_differs(found: Deliveries) -> Iterator[Problem]:
    if _last_status(found) == _UNAUTHORIZED:
        source = found.hook.source
        yield Problem(
            text=f"the webhook of {_named(source)} signs with another secret: ingest answered with 401",
            fix="./deploy.sh secrets show" if source == APP else f"./deploy.sh webhook {source}",
        )


def _failing(found: Deliveries) -> Iterator[Problem]:
    status = _last_status(found)
    if status is not None and not 200 <= status < 300 and status != _UNAUTHORIZED:
        wanted = f'jsonPayload.delivery_id="{found.attempts[0].guid}"'
        is_logged = status in _REFUSED or status >= 500
        yield Problem(
            text=f"the last delivery of the webhook of {found.hook.source} got {status or 'no answer'}",
            fix=f"gcloud logging read {shlex.quote(wanted)}" if is_logged else "./deploy.sh ingest",
        )


def _never_accepted(found: Deliveries) -> Iterator[Problem]:
    accepted = {attempt.guid for attempt in found.attempts if attempt.succeeded}
    failed = {
        attempt.guid: attempt
        for attempt in found.attempts
        if attempt.guid not in accepted and attempt.event != "ping" and attempt.status not in _REFUSED
    }
    if failed:
        hook, oldest = found.hook, list(failed.values())[-1]
        base = f"{'repos' if '/' in hook.source else 'orgs'}/{hook.source}/hooks/{hook.id}"
        yield Problem(
            text=f"{len(failed)} of the last events of {hook.source} were not accepted, first {oldest.guid}",
            fix=REDRIVE
            if hook.source == APP
            else f"gh api --method POST {base}/deliveries/{oldest.id}/attempts",
        )


def _last_status(found: Deliveries) -> int | None:
    return found.attempts[0].status if found.attempts else None


def _set_up(found: Webhooks) -> str:
    """Return what corrects a webhook; that of an App is corrected by hand, and looked at again."""
    return AGAIN if found.source == APP else f"./deploy.sh webhook {found.source}"


def _named(source: str) -> str:
    return "the GitHub App (correct it on the App's page)" if source == APP else source


CHECKS: tuple[Check[Any], ...] = (
    Check(slug="hook_missing", about=Webhooks, find=_missing),
    Check(slug="hook_doubled", about=Webhooks, find=_doubled),
    Check(slug="hook_inactive", about=Webhooks, find=_inactive),
    Check(slug="hook_content_type", about=Webhooks, find=_content_type),
    Check(slug="hook_events", about=Webhooks, find=_events),
    Check(slug="hook_insecure", about=Webhooks, find=_insecure),
    Check(slug="secret_differs", about=Deliveries, find=_secret_differs),
    Check(slug="hook_failing", about=Deliveries, find=_failing),
    Check(slug="deliveries_failed", about=Deliveries, find=_never_accepted),
)
