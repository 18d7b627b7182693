"""What the rules would have done to past events, one after another (pure)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from functions.triage.rules import Action, Decision, Rule, decide
from ops.triage.wording import is_present
from pipeline.accounts import Accounts
from pipeline.events import IssueEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as its row has it; without a payload, the texts of issue and comment are not known."""

    event: IssueEvent
    with_payload: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An event, what the rules decide about it, and which of the actions would have changed the issue."""

    event: IssueEvent
    decision: Decision
    effects: tuple[Action, ...]


@dataclass(slots=True, kw_only=True)
class Trial:
    """Counts over all events that were tried.

    `matches` counts events by the name of the rule, `effects` by the rule's name and the kind of action,
    `ignored` by the reason. `issues` are those that would have been changed. `without_payload` counts the
    events whose text a rule asks for and that have none. `is_cut`: there are more events.
    """

    rules: Sequence[Rule]
    team: Accounts
    own_login: str | None = None
    events: int = 0
    without_payload: int = 0
    is_cut: bool = False
    matches: Counter[str] = field(default_factory=Counter)
    effects: Counter[tuple[str, str]] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    issues: set[tuple[int | str | None, int | None]] = field(default_factory=set)
    _done: set[tuple[object, ...]] = field(default_factory=set)

    def add(self, stored: StoredEvent) -> Tried:
        """Try the rules on the next event, as if it had been received just now."""
        event = stored.event
        decision = decide(event, self.rules, self.team, now=event.received_at, own_login=self.own_login)
        self.events += 1
        self.without_payload += not stored.with_payload and self._asks_for_words(event)
        if decision.ignored is not None:
            self.ignored[decision.ignored.reason] += 1
        self.matches.update(decision.matched)
        effects = tuple(self._effects(event, decision))
        self.effects.update((action.rule, action.what) for action in effects)
        return Tried(event=event, decision=decision, effects=effects)

    def _asks_for_words(self, event: IssueEvent) -> bool:
        name = f"{event.event}.{event.action}"
        return any(rule.words_any and name in rule.events for rule in self.rules)

    def _effects(self, event: IssueEvent, decision: Decision) -> Iterator[Action]:
        """Yield what the issue lacks, each once: a label that is gone later was taken off by a person."""
        if event.issue is None:
            return
        issue = (event.repository_id or event.repository, event.issue.number)
        for action in decision.actions:
            if is_present(action, event.issue):
                continue
            once = {"comment": action.rule, "close": event.delivery_id}.get(action.what, action.value.lower())
            key = (issue, action.what, once, action.dry_run)
            if key not in self._done:
                self._done.add(key)
                self.issues.add(issue)
                yield action
