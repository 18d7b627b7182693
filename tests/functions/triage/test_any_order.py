"""Any order, duplicates, crashes, lost answers, people who act meanwhile: each action once, none undone."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.triage.rules import Rule
from local.github.github_app import LOGIN
from ops.send.payload_spec import Impossible, PayloadSpec
from ops.send.payloads import Event
from pipeline.errors import Unavailable
from pipeline.events import IssueEvent
from tests.functions.triage.rig import Crash, Rig

RULES = (
    Rule(name="new", add_labels=("triage", "parser"), assign=("mona",), comment="Thanks!"),
    Rule(
        name="wontfix",
        events=("issues.labeled",),
        labels_any=("wontfix",),
        comment="No.",
        close="not_planned",
    ),
)
PEOPLE: tuple[dict[str, Any], ...] = (
    {"login": "mona", "action": "labeled", "label": "wontfix"},
    {"login": "mona", "action": "unlabeled", "label": "wontfix"},
    {"login": "mona", "action": "labeled", "label": "parser"},
    {"login": "mona", "action": "unlabeled", "label": "triage"},
    {"login": "mona", "action": "unlabeled", "label": "parser"},
    {"login": "kim", "action": "unassigned", "assignee": "mona"},
    {"login": "kim", "action": "assigned", "assignee": "kim"},
    {"login": "octavia", "action": "edited", "title": "More"},
    {"login": "octavia", "action": "created", "event": "issue_comment", "body": "And?"},
    {"login": "mona", "action": "deleted", "event": "issue_comment"},
    {"login": "octavia", "action": "closed"},
    {"login": "octavia", "action": "reopened"},
)
ISSUES = (1, 2)
EXAMPLES = 12

numbers = st.integers(0, 30)
steps = st.one_of(
    st.tuples(st.just("person"), st.sampled_from(PEOPLE), st.sampled_from(ISSUES)),
    st.tuples(
        st.just("deliver"), numbers, st.sampled_from(["", "crash", "lost", "person"]), numbers, numbers
    ),
    st.tuples(st.just("stale"), numbers, st.sampled_from(["old", "replay", "backfill"])),
    st.tuples(st.just("restart")),
)


class World(Rig):
    """The rig with a record of everything that happened; `seen` is the issue as each event showed it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, *RULES)
        self.happened: list[tuple[str, Event]] = []
        self.events: list[IssueEvent] = []
        self.others: dict[str, set[int]] = {}
        act = self.github.act

        def recorded(spec: PayloadSpec) -> tuple[str, Event]:
            guid, event = act(spec)
            self.happened.append((spec.author, event))
            return guid, event

        self.github.act = recorded  # type: ignore[method-assign]
        for _ in ISSUES:
            self.events.append(self.opens())
            self.others[self.events[-1].delivery_id] = set()

    def person(self, what: dict[str, Any], number: int) -> None:
        """Let somebody do something, if it is possible."""
        is_closed = self.issue(number)["state"] == "closed"
        if (what["action"] == "closed" and is_closed) or (what["action"] == "reopened" and not is_closed):
            return
        labels, people = self.labels(number), self.assignees(number)
        if what["action"] in {"labeled", "assigned"} and {what.get("label"), what.get("assignee")} & {
            *labels,
            *people,
        }:
            return
        try:
            event = self.does(number=number, **what)
        except Impossible:
            return
        self.events.append(event)
        self.others[event.delivery_id] = self.other_comments(number)

    def other_comments(self, number: int) -> set[int]:
        """Return the ids of the comments that are not ours."""
        comments = self.github.repository("acme/app").comments_of(number)
        return {comment["id"] for comment in comments if comment["user"]["login"] != LOGIN}

    def attempt(self, event: IssueEvent, fault: str = "", at: int = 0, what: int = 0) -> None:
        """Deliver an event; the fault happens at one of its requests."""
        count = 0

        def before(request: requests.PreparedRequest) -> bool:
            nonlocal count
            count += 1
            is_here = count == at % 12 + 1
            if request.method == "PATCH":
                self.check_close(event)
            elif fault == "person" and is_here and event.issue and event.issue.number:
                self.person(PEOPLE[what % len(PEOPLE)], event.issue.number)
            if fault == "crash" and is_here:
                raise Crash
            return not (fault == "lost" and is_here)

        self.wire.before = before
        try:
            self.deliver(event)
        except Crash:
            self.restart()
        except Unavailable:
            pass
        finally:
            self.wire.before = lambda _: True

    def check_close(self, event: IssueEvent) -> None:
        """Hold that the issue which is about to be closed is as the event showed it, but for what we did."""
        assert event.issue
        number = event.issue.number or 0
        now, was = self.issue(number), event.issue
        assert (now["title"], now["body"], now["state"]) == (was.title, was.body, was.state)
        labels, people = set(self.labels(number)), set(self.assignees(number))
        assert set(was.labels) <= labels <= set(was.labels) | {"triage", "parser"}
        assert set(was.assignees) <= people <= set(was.assignees) | {"mona"}
        assert self.other_comments(number) == self.others[event.delivery_id]

    # What has to hold

    def check_once(self) -> None:
        """Hold that no action of ours was done twice on an issue."""
        ours = Counter(
            (
                event.payload["issue"]["number"],
                event.payload["action"],
                str(event.payload.get("label", event.payload.get("comment", {}).get("body", ""))).partition(
                    "delivery"
                )[0],
            )
            for author, event in self.happened
            if author == LOGIN
        )
        assert set(ours.values()) <= {1}, ours

    def check_complete(self, number: int) -> None:
        """Hold that everything is done which no person took back."""
        people = [
            event.payload
            for author, event in self.happened
            if author != LOGIN and event.payload["issue"]["number"] == number
        ]
        removed = {each["label"]["name"] for each in people if each["action"] == "unlabeled"}
        assert {"triage", "parser"} <= set(self.labels(number)) | removed
        unassigned = any(each["action"] == "unassigned" for each in people)
        assert unassigned or "mona" in self.assignees(number)
        deleted = any(each["action"] == "deleted" for each in people)
        bodies = " ".join(self.own_comments(number))
        assert deleted or "rule=new" in bodies
        wanted = [
            each for each in people if each["action"] == "labeled" and each["label"]["name"] == "wontfix"
        ]
        assert deleted or not wanted or "rule=wontfix" in bodies
        if wanted and people[-1] is wanted[-1] and len(wanted) == 1:  # nobody has done anything since
            assert self.issue(number)["state"] == "closed"


@settings(max_examples=EXAMPLES, deadline=None)
@given(happenings=st.lists(steps, max_size=14))
def test_each_action_is_done_once_and_nothing_is_undone(happenings: list[tuple[Any, ...]]) -> None:
    """Deliveries come in any order and repeatedly; the process ends, answers are lost, and people act."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        for kind, *details in happenings:
            match kind:
                case "person":
                    world.person(*details)
                case "deliver":
                    index, *fault = details
                    world.attempt(world.events[index % len(world.events)], *fault)
                case "stale":
                    index, how = details
                    check_stale(world, world.events[index % len(world.events)], how)
                case "restart":
                    world.restart()
        while True:
            before = len(world.happened)
            for event in tuple(world.events):
                assert all(
                    each.result not in {"not_applied", "refused", "limit"} for each in world.deliver(event)
                )
            if len(world.happened) == before:
                break
        world.check_once()
        for number in ISSUES:
            world.check_complete(number)


def check_stale(world: World, event: IssueEvent, how: str) -> None:
    """Deliver an event that is old, replayed or backfilled, and hold that nothing is asked or done."""
    asked = len(world.server.requests)
    changes: dict[str, Any] = {"source": how}
    if how == "old":
        changes = {"received_at": world.now - timedelta(hours=1)}
    assert world.deliver(replace(event, **changes)) == []
    assert len(world.server.requests) == asked


def test_a_thousand_duplicates_do_everything_once(tmp_path: Path) -> None:
    """Each of them is acknowledged, and finds what the first one has done."""
    world = World(tmp_path)
    world.wire.known = {}  # GitHub answers what it has answered before, as nothing changes
    results: Counter[str] = Counter()
    for _ in range(1_000):
        results.update(world.results(world.events[0]))
    assert results == {"done": 4, "present done_before": 3_996}
    world.check_once()
