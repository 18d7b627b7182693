"""What the rules would have done, in words and as JSON (pure)."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from functions.triage.rules import Rule
from metrics.wording import count
from ops.triage.trial import Trial, Tried
from ops.triage.wording import action_json, phrase
from pipeline.delivery import format_time

_NOUNS = {"add_label": "label", "assign": "assignee", "comment": "comment", "close": "close"}


def line(tried: Tried) -> str:
    """Return what would have been done at an event, in one line."""
    event = tried.event
    by_rule = groupby(sorted(tried.effects, key=lambda action: action.rule), key=lambda action: action.rule)
    does = "; ".join(f"{rule} {', '.join(map(phrase, actions))}" for rule, actions in by_rule)
    return f"{event.event_at:%Y-%m-%d %H:%M}  {_issue(tried)} {event.event}.{event.action}: {does}"


def lines(trial: Trial) -> Iterator[str]:
    """Yield the sum, and a line for each rule."""
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in trial.ignored.most_common())
    ignored = f", {trial.ignored.total():,} without effect ({reasons})" if reasons else ""
    changed = count(len(trial.issues), "issue")
    yield f"{count(trial.events, 'event')} that the rules name{ignored}; {changed} would have changed."
    width = max(len(rule.name) for rule in trial.rules)
    for rule in trial.rules:
        yield f"  {rule.name:{width}}  {_rule(trial, rule)}"


def notes(trial: Trial) -> Iterator[str]:
    """Yield what the numbers leave out."""
    if trial.is_cut:
        yield f"there are more events than the first {trial.events:,}; raise --limit, or narrow the time"
    if trial.without_payload:
        have = count(trial.without_payload, "event has", "events have")
        yield (
            f"{have} no payload in BigQuery (STORE_PAYLOAD, PAYLOAD_DAYS), so words_any saw the title alone"
        )


def outcome(trial: Trial, shown: Sequence[Tried]) -> dict[str, Any]:
    """Return the numbers for scripts, and each event with something to do."""
    return {
        "events": trial.events,
        "more": trial.is_cut,
        "ignored": dict(trial.ignored),
        "without_payload": trial.without_payload,
        "issues": len(trial.issues),
        "rules": [
            {
                "name": rule.name,
                "dry_run": rule.dry_run,
                "matches": trial.matches[rule.name],
                **{what: trial.effects[rule.name, what] for what in _NOUNS},
            }
            for rule in trial.rules
        ],
        "decisions": [
            {
                "delivery_id": tried.event.delivery_id,
                "event": f"{tried.event.event}.{tried.event.action}",
                "at": format_time(tried.event.event_at),
                "issue": _issue(tried),
                "actions": list(map(action_json, tried.effects)),
            }
            for tried in shown
        ],
    }


def _issue(tried: Tried) -> str:
    return f"{tried.event.repository}#{tried.event.issue.number if tried.event.issue else None}"


def _rule(trial: Trial, rule: Rule) -> str:
    matches = trial.matches[rule.name]
    if not matches:
        return "no event matches"
    done = [
        count(number, noun) for what, noun in _NOUNS.items() if (number := trial.effects[rule.name, what])
    ]
    dry = " (dry run)" if rule.dry_run else ""
    have = count(matches, "event matches", "events match")
    return f"{have}: {', '.join(done) or 'nothing to do'}{dry}"
