"""What a run reports as an ERROR, each with its reason and what to do (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clients.github.hook_deliveries import APP, Attempt, Hook

from .plan import Past, Window

SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A line for the log; docs/operations.md explains each reason."""

    reason: str
    text: str


def of_source(source: str, hooks: Sequence[Hook], attempts: Iterable[Attempt]) -> list[Problem]:
    """Return what is wrong with our webhooks of a source; `attempts` are those of its webhooks."""
    if not hooks:
        return [_problem("hook_missing", f"{source} has no webhook that points to ingest", source)]
    found = []
    if not any(hook.is_active for hook in hooks):
        found.append(_problem("hook_inactive", f"The webhook of {source} is switched off", source))
    newest = max(attempts, key=lambda each: (each.delivered_at, each.id), default=None)
    if newest is not None and newest.status in {401, 403}:
        text = f"ingest answers the webhook of {source} with {newest.status}"
        found.append(_problem("hook_refused", text, source))
    return found


def of_lost(guids: Sequence[str]) -> list[Problem]:
    """Return the problem that deliveries are lost, if any are."""
    if not guids:
        return []
    shown = ", ".join(sorted(guids)[:SHOWN]) + (", ..." if len(guids) > SHOWN else "")
    text = f"{len(guids)} deliveries are lost: GitHub delivers them no more, or in vain ({shown})"
    return [Problem(reason="deliveries_lost", text=f"{text}; read why in ingest's log")]


def of_gap(window: Window, past: Past) -> list[Problem]:
    """Return the problem that GitHub no longer lists what came after the last proof, if that is so."""
    if past.ended_at is None or past.ended_at >= window.horizon:
        return []
    text = (
        f"No run succeeded from {past.ended_at:%Y-%m-%d %H:%M} on, and GitHub lists nothing before "
        f"{window.horizon:%Y-%m-%d %H:%M} UTC; run ./issuewire backfill for each repository"
    )
    return [Problem(reason="proof_gap", text=text)]


def _problem(reason: str, text: str, source: str) -> Problem:
    fix = (
        "store the secret that ./deploy.sh secrets show prints on the App's page at GitHub"
        if source == APP
        else f"run ./deploy.sh webhook {source}"
    )
    return Problem(reason=reason, text=f"{text}; {fix}")
