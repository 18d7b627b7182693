"""Why the issue has a card or has none, in one sentence, as far as rows, routes and logs tell; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ops.why.timeline import IssueName, LogLine, Logs, Step

SHOWN = {"posted", "updated", "recorded", "already_handled"}
FOLDED = {"folded", "already_folded"}
FAILED = {"WARNING", "ERROR", "CRITICAL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`has_card` is None if that cannot be known."""

    has_card: bool | None
    sentence: str


def answer(issue: IssueName, steps: Sequence[Step], logs: Logs) -> Answer:
    """Return the answer: by what notify_slack logged, or else by what the routes would do."""
    if not steps:
        return Answer(has_card=False, sentence=_nothing_arrived(issue, logs))
    found = _by_lines(issue, steps) or _without_lines(issue, steps, logs)
    refused = [(step.name, step.of("ingest")[-1]) for step in steps if _is_refused(step)]
    if found.has_card or not refused:
        return found
    name, line = refused[-1]
    more = f" ingest did not accept {name}: {_failure(line)} Redeliver it at GitHub."
    return replace(found, sentence=found.sentence + more)


def _by_lines(issue: IssueName, steps: Sequence[Step]) -> Answer | None:
    """Return the answer by what notify_slack logged, or None if it has logged no outcome and no failure."""
    lines = [line for step in steps for line in step.of("notify_slack")]
    places = _places(lines)
    with_card = [channel for channel, line in places.items() if line.outcome in SHOWN]
    folded = [channel for channel, line in places.items() if line.outcome in FOLDED]
    failed = [line for line in _last_failures(steps) if line.channel not in {*with_card, *folded}]
    if with_card:
        rest = f" Another channel was not updated: {_failure(failed[-1])}" if failed else ""
        return Answer(has_card=True, sentence=f"{issue} has a card in {_listed(with_card)}.{rest}")
    if folded:
        sentence = (
            f"{issue} has no card of its own yet: it is one of many new issues in a message with a count in "
            f"{_listed(folded)}. Its next event after the burst makes its card."
        )
        return Answer(has_card=False, sentence=sentence)
    if failed:
        sentence = (
            f"{issue} has no card because notify_slack failed, and its message is retried: "
            f"{_failure(failed[-1])} See 'Cards are missing in Slack' in docs/operations.md."
        )
        return Answer(has_card=False, sentence=sentence)
    handled = [line for line in lines if line.outcome]
    return _not_shown(issue, steps, handled[-1]) if handled else None


def _is_refused(step: Step) -> bool:
    """Return whether the last thing that ingest did with a delivery was to refuse it."""
    lines = step.of("ingest")
    return step.stored is None and bool(lines) and lines[-1].severity in FAILED


def _nothing_arrived(issue: IssueName, logs: Logs) -> str:
    logged = "stored" if logs.left_out else "stored or logged"
    return (
        f"No delivery about {issue} has arrived: none is {logged}. Look at GitHub, in the settings of "
        f"{issue.repository} under Webhooks, Recent deliveries: if the delivery is there in red, see 'GitHub "
        f"shows a delivery in red' in docs/operations.md; if it is not there, run "
        f"./deploy.sh status {issue.repository}"
    )


def _places(lines: Sequence[LogLine]) -> dict[str, LogLine]:
    """Return the last line of each channel that says that the issue is there."""
    return {
        line.channel: line for line in lines if line.channel is not None and line.outcome in SHOWN | FOLDED
    }


def _last_failures(steps: Sequence[Step]) -> list[LogLine]:
    """Return the failures of the deliveries whose last line is one: a later attempt may have succeeded."""
    failures: list[LogLine] = []
    for step in steps:
        lines = step.of("notify_slack")
        last = max((number for number, line in enumerate(lines) if line.outcome), default=-1)
        failed = [line for line in lines[last + 1 :] if line.severity in FAILED]
        named = [line for line in failed if line.channel is not None]
        failures += [line for line in (named or failed) if line.reason != "route_outdated"]
    return failures


def _not_shown(issue: IssueName, steps: Sequence[Step], last: LogLine) -> Answer:
    why = last.why or last.message or "its log line does not say why"
    sentence = f"{issue} has no card because of what notify_slack logged last: {why.rstrip('.')}."
    if any(step.routes and step.routes.channels for step in steps):
        sentence += (
            " The routes file here would show it: ./deploy.sh notify_slack deploys it, and the issue's next "
            "event makes the card."
        )
    return Answer(has_card=False, sentence=sentence)


def _without_lines(issue: IssueName, steps: Sequence[Step], logs: Logs) -> Answer:
    """Return the answer where notify_slack has not logged what it did, or its log was not read."""
    unread = f"its log was not read ({(logs.left_out or '').rstrip('.')})"
    making = [step for step in steps if step.routes is not None and step.routes.channels]
    explained = [step.routes.why_not for step in steps if step.routes and step.routes.why_not]
    if making:
        last = making[-1]
        channels = _listed(last.routes.channels if last.routes else ())
        should = f"By the routes file, {last.name} of {issue} makes a card in {channels}"
        if logs.left_out:
            return Answer(
                has_card=None,
                sentence=f"{should}; whether Slack took it, only notify_slack knows, and {unread}.",
            )
        if logs.since is not None and last.at is not None and last.at < logs.since:
            return Answer(has_card=None, sentence=f"{should}, but that was before the logs begin.")
        sentence = (
            f"{should}, but notify_slack has logged no outcome of it: its message waits, or the function "
            f"does not start. Run ./deploy.sh status {issue.repository}"
        )
        return Answer(has_card=False, sentence=sentence)
    if explained:
        return Answer(has_card=False, sentence=f"{issue} has no card because {explained[-1]}.")
    if all(map(_is_refused, steps)):
        return Answer(has_card=False, sentence=f"{issue} has no card: notify_slack has no delivery of it.")
    sentence = (
        f"{issue} has no card yet: ingest has its delivery, and notify_slack has logged no outcome of it. "
        f"Run ./deploy.sh status {issue.repository}"
    )
    return Answer(has_card=False if not logs.left_out else None, sentence=sentence)


def _failure(line: LogLine) -> str:
    channel = f"{line.channel}: " if line.channel else ""
    reason = f" ({line.reason})" if line.reason else ""
    return f"{channel}{line.message.rstrip('.')}{reason}."


def _listed(channels: Sequence[str]) -> str:
    return ", ".join(channels)
