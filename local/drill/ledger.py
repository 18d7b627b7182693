"""The drill's ledger: what GitHub has, beside what BigQuery has stored and what Slack shows (pure)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clients.slack.metadata import CARD, payload
from functions.notify_slack.cards.burst_message import BURST
from functions.notify_slack.cards.metadata import REPLY
from local.demo.ledger import Entry
from local.slack.message import Message
from ops.send.accounts import number_for
from pipeline.delivery import parse_time

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found everywhere.

    `issues` are GitHub's by (repository, number), `deliveries` every attempt that GitHub lists. `rows` are
    those of issue_events as (delivery_id, copies), `states` those of the view issues.
    """

    issues: Mapping[tuple[str, int], Json]
    deliveries: Sequence[Json]
    rows: Sequence[Json]
    states: Sequence[Json]
    messages: Sequence[Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The entries, and one line for each thing that is lost, doubled or out of date."""

    entries: tuple[Entry, ...]
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    outdated: tuple[str, ...]

    @property
    def is_even(self) -> bool:
        """Return whether nothing is lost, doubled or out of date."""
        return not (self.lost or self.doubled or self.outdated)


def balance(found: Found) -> Balance:
    """Compare what was found with GitHub."""
    events = {each["guid"]: each for each in found.deliveries}
    names = {guid: f"{_title(each)} ({guid})" for guid, each in events.items()}
    comments = {guid for guid, each in events.items() if each["event"] == "issue_comment"}
    issues = {f"{number_for(name)}#{number}": f"{name}#{number}" for name, number in found.issues}
    copies = {row["delivery_id"]: row["copies"] for row in found.rows}
    slack = _Slack(found.messages)
    shown = slack.cards.keys() | slack.bursts.keys()
    lost = [
        *_named(names, events.keys() - copies.keys(), "is not stored"),
        *_named(issues, issues.keys() - shown, "is in no card"),
        *_named(names, comments - slack.replies.keys(), "is in no thread"),
    ]
    doubled = [
        *_named(names, (guid for guid in events if copies.get(guid, 0) > 1), "is stored twice"),
        *_named(issues, (key for key in issues if len(slack.cards.get(key, ())) > 1), "has two cards"),
        *_named(issues, (key for key in issues if slack.bursts[key] > 1), "is listed twice"),
        *_named(names, (guid for guid in comments if slack.replies[guid] > 1), "is twice in its thread"),
    ]
    current = {f"{number_for(name)}#{number}": issue for (name, number), issue in found.issues.items()}
    states = {f"{number_for(row['repository'])}#{row['issue_number']}": row for row in found.states}
    outdated = [
        *_named(issues, (k for k in issues if _differs(current[k], states.get(k))), "differs in BigQuery"),
        *_named(
            issues, (k for k in issues if _is_old(current[k], slack.cards.get(k, ()))), "has an old card"
        ),
    ]
    entries = (
        Entry("events stored", len(events.keys() & copies.keys()), len(events)),
        Entry("issues in a card or in a list of issues", len(issues.keys() & shown), len(issues)),
        Entry("comments in their issue's thread", len(comments & slack.replies.keys()), len(comments)),
        Entry("lost", len(lost), 0),
        Entry("doubled", len(doubled), 0),
        Entry("out of date", len(outdated), 0),
    )
    return Balance(entries=entries, lost=tuple(lost), doubled=tuple(doubled), outdated=tuple(outdated))


class _Slack:
    """The cards by issue, and how often issues are listed and deliveries replied to."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self.cards: defaultdict[str, list[Json]] = defaultdict(list)
        self.bursts: Counter[str] = Counter()
        self.replies: Counter[str] = Counter()
        for message in messages:
            content = {"metadata": message.metadata}
            if card := payload(content, CARD):
                self.cards[str(card["issue"])].append(card)
            if burst := payload(content, BURST):
                self.bursts.update(str(burst["issues"]).split())
            if reply := payload(content, REPLY):
                self.replies[str(reply["delivery_id"])] += 1


def _named(names: Mapping[str, str], keys: Iterable[str], what: str) -> list[str]:
    return sorted(f"{names[key]} {what}" for key in keys)


def _title(delivery: Json) -> str:
    content = delivery["request"]["payload"]
    where = f"{content['repository']['full_name']}#{content['issue']['number']}"
    return f"{where} {delivery['event']}.{delivery['action']}"


def _differs(issue: Json, row: Json | None) -> bool:
    """Return whether the view issues shows another issue than GitHub."""
    if row is None:
        return True
    labels, assignees = _all(issue["labels"], "name"), _all(issue["assignees"], "login")
    stored = (row["state"], row["title"], set(row["labels"]), set(row["assignees"]))
    return stored != (issue["state"], issue["title"], labels, assignees)


def _is_old(issue: Json, cards: Sequence[Json]) -> bool:
    """Return whether the issue has cards, and all of them show an earlier moment than GitHub."""
    shown = [moment for card in cards if (moment := parse_time(card.get("updated_at")))]
    latest = parse_time(issue["updated_at"])
    return bool(cards) and latest is not None and all(moment < latest for moment in shown)


def _all(entries: Iterable[Json], key: str) -> set[Any]:
    return {entry[key] for entry in entries}
