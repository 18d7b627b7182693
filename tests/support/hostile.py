"""Payloads as GitHub sends them, and the same payloads with parts missing or replaced by any JSON."""

import copy
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from ops.send import accounts, payloads
from tests.support.messages import NOON, an_issue

_LATER = NOON + timedelta(hours=1)
_MONA = accounts.Account(login="mona")
_BOT = accounts.Account(login="triage[bot]", type="Bot")

Path = tuple[str | int, ...]


def shapes() -> dict[str, payloads.Event]:
    """Return one event of every shape that we read, by name."""
    issue = an_issue(labels=["bug"], assignees=[_MONA], body="x")
    pull = an_issue(is_pull_request=True)
    gone, there = an_issue().transferred(_MONA, _LATER, accounts.Repository(full_name="other/site"), 3)
    return {
        "opened": issue.opened(),
        "labeled": issue.labeled(_MONA, _LATER, "ui"),
        "assigned": issue.assigned(_MONA, _LATER, _BOT),
        "commented": issue.commented(_BOT, _LATER, "hello"),
        "closed": issue.closed(_MONA, _LATER),
        "pull-request": pull.commented(_MONA, _LATER, "hello"),
        "transferred": gone,
        "typed": _typed(an_issue().labeled(_MONA, _LATER, "ui")),
        "came-by-transfer": there.opened(
            old_issue=issue.as_json(), old_repository=issue.repository.as_json()
        ),
        "ping": payloads.ping(accounts.Repository(full_name="acme/app"), _MONA),
    }


def _typed(event: payloads.Event) -> payloads.Event:
    """Return the event with an issue that has a type, a status and an app, as not every issue has."""
    event.payload["issue"] |= {
        "type": {"name": "Bug"},
        "status": {"name": "In review", "category": "in_progress"},
        "performed_via_github_app": {"slug": "linear"},
    }
    return event


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every value inside `value`."""
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, item in entries:
        yield (*path, name)
        yield from paths(item, (*path, name))


def nested(depth: int) -> Any:
    """Return `depth` lists, one inside the other."""
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
AWKWARD = [
    *("", "\0", "\ud800", "\udfff\ud800", "\U0001f600", '"\\', "\u2028", "</script>"),
    *("2026-01-05T04:00:00Z", "0001-01-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    *("9999-12-31T23:59:59-12:00", "2026-01-05T04:00:00.123456789Z", "2026-01-05", "2026-W01-1"),
    *(2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64 - 1, 2**64, 10**400, -0.0, 1e308, 5e-324),
    *(float("nan"), float("inf"), float("-inf"), True, False, None, {}, [], [None], {"": None}),
]
ANY_JSON = st.recursive(
    st.sampled_from(AWKWARD) | st.integers() | st.floats() | ANY_TEXT,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(ANY_TEXT, children, max_size=4),
    max_leaves=8,
)
_SHAPES_AND_PATHS = [(shape, tuple(paths(shape.payload))) for shape in shapes().values()]


@st.composite
def mutated(draw: st.DrawFn) -> payloads.Event:
    """Draw an event whose payload has a few parts missing or replaced by another JSON value."""
    shape, known_paths = draw(st.sampled_from(_SHAPES_AND_PATHS))
    payload = copy.deepcopy(shape.payload)
    for path in draw(st.lists(st.sampled_from(known_paths), min_size=1, max_size=5)):
        new = draw(st.none() | st.tuples(ANY_JSON))
        parent = _at(payload, path[:-1])
        if isinstance(parent, dict):
            parent.pop(path[-1], None)
            if new is not None:
                parent[str(path[-1])] = new[0]
        elif isinstance(parent, list):
            parent[:] = [] if new is None else [new[0]]
    return payloads.Event(name=shape.name, payload=payload)


def _at(value: Any, path: Path) -> Any:
    for name in path:
        known = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
        if name not in known:
            return None
        value = value[name]
    return value
