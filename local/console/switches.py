"""What can be made to fail, and well again: the faults of the drill, by a person's hand."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.bigquery.front import BigQueryFront
from local.console.wishes import NotPossible
from local.stack.stack import Stack
from local.stack.topics import ATTEMPTS

WELL: Final = "well"
KILL: Final = "kill"
FEW_ATTEMPTS: Final = 5  # the fewest that Pub/Sub allows
SILENT_SECONDS: Final = 30.0  # longer than notify_slack waits
LOST_EVERY: Final = 5

# How a part that is not here can be had.
_MISSING = {
    "slack": "notify_slack posts to Slack itself, which cannot be broken here",
    "pubsub": "Google's emulator cannot be broken here; start make serve with --pubsub builtin",
    "bigquery": "BigQuery cannot be broken here",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One way to make a part fail; `text` says what it does."""

    part: str
    how: str
    label: str
    text: str
    fault: Mapping[str, Any] | None = None


_SLACK = (
    (
        "429",
        "429",
        "Slack answers 429: try again in one second.",
        {"status": 429, "headers": {"Retry-After": "1"}},
    ),
    ("errors", "Errors", "Slack answers internal_error.", {"error": "internal_error"}),
    ("silent", "No answer", "Slack takes requests and does not answer.", {"hang": SILENT_SECONDS}),
    (
        "loses",
        "Loses answers",
        "Slack posts, and the connection breaks before its answer.",
        {"drop": True, "after": True},
    ),
)
_OTHERS = (
    Switch(
        part="bigquery",
        how="refuses",
        label="Refuses rows",
        text="BigQuery answers 503 to rows.",
        fault={"status": 503},
    ),
    Switch(part="pubsub", how="stops", label="Stops", text="Pub/Sub answers nobody and pushes nothing."),
    Switch(
        part="pubsub",
        how="gives-up",
        label="Gives up early",
        text=f"Pub/Sub holds a message as a dead letter after {FEW_ATTEMPTS} attempts instead of {ATTEMPTS}.",
    ),
    Switch(
        part="github",
        how="fails-a-fifth",
        label="Loses a fifth",
        text="Every fifth delivery of GitHub is lost.",
    ),
)
SWITCHES: Final = (
    *(
        Switch(part="slack", how=how, label=label, text=text, fault=fault)
        for how, label, text, fault in _SLACK
    ),
    *_OTHERS,
)


class Switches:
    """The switches of one stack; a part fails in one way at a time. Safe for many threads.

    `front` stands before the local BigQuery, None if the functions reach it directly.
    """

    def __init__(self, stack: Stack, front: BigQueryFront | None, tell: Callable[..., None]) -> None:
        self._stack = stack
        self._front = front
        self._tell = tell
        self._lock = threading.Lock()
        self._on: dict[str, str] = {}

    def on(self) -> dict[str, str]:
        """Return how each part fails that does."""
        killed = {name: KILL for name in self._functions() if self._stack.children[name].why_ended()}
        return {**self._on, **killed}

    def as_json(self) -> list[dict[str, object]]:
        """Return every switch that can be used here."""
        on = self.on()
        return [
            {
                "part": each.part,
                "how": each.how,
                "label": each.label,
                "text": each.text,
                "on": on.get(each.part) == each.how,
            }
            for each in self._usable()
        ]

    def turn(self, part: object, how: object) -> str:
        """Let a part fail, or heal it; return what happens now. Raises NotPossible."""
        usable = {(each.part, each.how): each for each in self._usable()}
        if not any(part == of for of, _ in usable):
            raise NotPossible(self._why_not(part, sorted({of for of, _ in usable})))
        part = str(part)
        switch = usable.get((part, str(how)))
        if switch is None and how != WELL:
            ways = ", ".join([way for of, way in usable if of == part])
            raise NotPossible(f"how must be one of {ways}, or {WELL}")
        with self._lock:
            if part not in self._functions():
                self._heal(part)
            if switch is None:
                text = f"{part} works again."
            else:
                self._break(switch)
                text = switch.text
        self._tell(
            part=part, kind="switch", text=text, level="info" if switch is None else "warning", how=how
        )
        return text

    def heal_all(self) -> None:
        """Let every part work again."""
        with self._lock:
            for part in list(self._on):
                self._heal(part)

    def _break(self, switch: Switch) -> None:
        match switch.part, switch.how:
            case "slack", _:
                self._stack.slack.fail_until_cleared(**switch.fault or {})
            case "bigquery", _:
                assert self._front is not None
                self._front.fail_until_cleared(target="insertAll", **switch.fault or {})
            case "pubsub", "stops":
                self._pubsub().pause(paused=True)
            case "pubsub", _:
                self._pubsub().limit_attempts(FEW_ATTEMPTS)
            case "github", _:
                self._stack.github.github.hooks.loses_every = LOST_EVERY
            case name, _:
                self._stack.children[name].kill()
                return
        self._on[switch.part] = switch.how

    def _heal(self, part: str) -> None:
        match part, self._on.pop(part, None):
            case _, None:
                return
            case "slack", _:
                self._stack.slack.clear_faults()
            case "bigquery", _:
                assert self._front is not None
                self._front.clear_faults()
            case "pubsub", "stops":
                self._pubsub().pause(paused=False)
            case "pubsub", _:
                self._pubsub().limit_attempts(ATTEMPTS)
            case "github", _:
                self._stack.github.github.hooks.loses_every = None

    def _usable(self) -> Iterator[Switch]:
        missing = self._missing()
        yield from (each for each in SWITCHES if each.part not in missing)
        for name in self._functions():
            text = f"The process of {name} ends at once; make serve starts it again."
            yield Switch(part=name, how=KILL, label="Kill", text=text)

    def _functions(self) -> list[str]:
        """Return the functions that handle deliveries."""
        return [name for name, of in self._stack.functions.items() if of or name == "ingest"]

    def _missing(self) -> set[str]:
        here = {
            "slack": not self._stack.slack_is_real,
            "pubsub": self._stack.pubsub_server is not None,
            "bigquery": self._front is not None,
        }
        return {part for part, is_here in here.items() if not is_here}

    def _why_not(self, part: object, parts: list[str]) -> str:
        if isinstance(part, str) and part in self._missing():
            return _MISSING[part]
        return f"part must be one of {', '.join(parts)}"

    def _pubsub(self) -> Any:
        assert self._stack.pubsub_server is not None
        return self._stack.pubsub_server
