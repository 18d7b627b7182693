"""A run repairs what was not delivered, asks for no more than that, and writes down what it found."""

import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from functions.notify_slack.routing.eligibility import CardEvent
from functions.reconcile.plan import LedgerRow
from functions.reconcile.report import Report
from ops.send import accounts, payloads
from pipeline.delivery import parse_time
from pipeline.events import IssueEvent
from tests.functions.reconcile.rig import START, Rig
from tests.support.messages import an_issue

TOTALS = ("expected", "stored", "recovered", "refused", "lost")


def totals(rows: list[LedgerRow]) -> tuple[int, ...]:
    """Return the sums of the rows of the last run."""
    last = max(row.run_at for row in rows)
    return tuple(sum(getattr(row, name) for row in rows if row.run_at == last) for name in TOTALS)


def small(number: int) -> dict:
    """Return a small payload of the event that opens an issue."""
    issue = {"number": number, "updated_at": "2026-03-04T12:00:00Z"}
    return {"action": "opened", "issue": issue, "repository": {"id": 1, "full_name": "acme/app"}}


def test_ten_thousand_deliveries_of_two_hooks_survive_a_run_that_is_out_of_time() -> None:
    """A fifth of the deliveries fails, two webhooks share GUIDs: after two more runs each is stored once."""
    rig, dice = Rig(request_seconds=0.05), random.Random(13)
    rig.github.organizations.add("acme")
    rig.hook()
    rig.hook("acme")
    failed = {}

    def answer(_event: str, guid: str, number: int) -> int:
        fails = failed.setdefault(guid, dice.random() < 0.2)
        return 503 if fails and number <= 2 else 202

    rig.status_of = answer
    guids = []
    for number in range(10_000):
        rig.clock.advance(1.2)
        guids.append(rig.github.hooks.emit(["acme/app", "acme"], "issues", small(number)))
    rig.clock.advance(3600)
    failures = [guid for guid in guids if failed[guid]]
    assert len(failures) == pytest.approx(2_000, rel=0.1)
    assert not any(guid in rig.warehouse.events for guid in failures)

    first = rig.run(seconds=1000, GITHUB_SOURCES="acme/app,acme")
    assert {failure.reason for failure in first.failures} == {"out_of_time"}
    assert rig.warehouse.rows == []
    assert 0 < len(rig.asked()) < len(failures)
    for _ in range(2):
        rig.clock.advance(3600)
        assert rig.run(seconds=3000, GITHUB_SOURCES="acme/app,acme").failures == []

    assert set(rig.warehouse.events) == set(guids)
    assert sorted(rig.asked()) == sorted(failures)
    times = [at for at, _ in rig.github.hooks.asked]
    assert all(later - before >= timedelta(seconds=1) for before, later in pairwise(times))
    both = (20_000, 20_000, 2 * len(failures), 0, 0)
    assert totals(rig.warehouse.rows) == both


MONA = accounts.Account(login="mona")


@pytest.fixture
def rig() -> Rig:
    """Return GitHub with acme/app and its webhook."""
    made = Rig()
    made.hook()
    return made


def issue(rig: Rig, number: int) -> payloads.Issue:
    """Open an issue now."""
    opened = an_issue(number=number, title=f"Issue {number}", created_at=rig.clock.now)
    rig.github.emit("acme/app", opened.opened())
    return opened


def reasons(report: Report) -> list[str]:
    """Return the reasons of the problems."""
    return [problem.reason for problem in report.problems]


def test_what_a_webhook_that_was_off_for_two_hours_missed_is_published(rig: Rig) -> None:
    """200 changes while the webhook was off: each issue is stored as it is now, and once."""
    old = [issue(rig, number) for number in range(1, 151)]
    rig.clock.advance(3600)
    hook = next(iter(rig.github.hooks.by_place["acme/app"].values()))
    hook["active"] = False
    for place, each in enumerate(old):
        rig.clock.advance(30)
        now = rig.clock.now
        match place % 5:
            case 0:
                event = each.closed(MONA, now)
            case 1:
                event = each.labeled(MONA, now, "bug")
            case 2:
                event = each.assigned(MONA, now, MONA)
            case 3:
                event = each.commented(MONA, now, "Same here")
            case _:
                event = each.edited(MONA, now, title=f"New title {place}")
        rig.github.emit("acme/app", event)
    for number in range(151, 201):
        rig.clock.advance(30)
        issue(rig, number)
    rig.clock.advance(1200)
    hook["active"] = True
    report = rig.run()
    assert (report.failures, report.counts["missed"]) == ([], 200)
    actions = Counter(delivery.action for delivery in rig.topic.published)
    assert actions == {"opened": 50, "closed": 30, "labeled": 30, "edited": 90}
    for delivery in rig.topic.published:
        event = IssueEvent.from_delivery(delivery)
        now = rig.host.issues[event.issue.number]
        assert isinstance(CardEvent.of(event), CardEvent)
        assert (event.issue.title, event.issue.state, event.issue.updated_at) == (
            now["title"],
            now["state"],
            parse_time(now["updated_at"]),
        )
    rig.clock.advance(3600)
    assert rig.run().counts["missed"] == 0
    rig.github.emit("acme/app", old[0].reopened(MONA, rig.clock.now))
    rig.clock.advance(3600)
    report = rig.run()
    assert (report.counts["missed"], report.failures, reasons(report)) == (0, [], [])
    assert len({delivery.delivery_id for delivery in rig.topic.published}) == 200


def test_a_failed_delivery_is_asked_for_and_not_published(rig: Rig) -> None:
    """The second net leaves an issue alone whose delivery failed and is on its way again."""
    rig.status_of = lambda _event, _guid, number: 503 if number == 1 else 202
    issue(rig, 1)
    rig.clock.advance(1200)
    report = rig.run()
    assert (len(rig.asked()), report.counts["missed"], report.counts["stored"]) == (1, 0, 1)
    assert totals(rig.warehouse.rows) == (1, 1, 1, 0, 0)


def test_an_outage_of_bigquery_starts_no_storm(rig: Rig) -> None:
    """Nothing that ingest accepted is asked for or published while nothing at all is stored."""
    issue(rig, 1)
    rig.is_storing = False
    rig.clock.advance(7200)
    for number in range(2, 30):
        rig.clock.advance(60)
        issue(rig, number)
    rig.clock.advance(7200)
    report = rig.run()
    assert (report.failures, rig.asked(), rig.topic.published) == ([], [], [])
    rig.store()
    rig.clock.advance(60)
    assert (rig.run().failures, rig.asked(), rig.topic.published) == ([], [], [])
    assert totals(rig.warehouse.rows) == (29, 29, 0, 0, 0)


def test_what_ingest_accepted_and_nobody_stored_is_asked_for(rig: Rig) -> None:
    """What GitHub calls delivered and is not stored, although later deliveries are, is asked for."""
    rig.is_storing = False
    lost = rig.github.emit("acme/app", an_issue(number=1, created_at=rig.clock.now).opened())
    rig.accepted.clear()
    rig.is_storing = True
    rig.clock.advance(60)
    issue(rig, 2)
    rig.run()
    assert rig.asked() == []
    rig.clock.advance(1900)
    rig.run()
    assert (rig.asked(), lost in rig.warehouse.events) == ([lost], True)


def test_an_outage_of_ingest_of_ten_hours_is_recovered(rig: Rig) -> None:
    """Three attempts in vain are an error; once ingest accepts deliveries again, all are asked for."""
    rig.status_of = lambda *_: 503
    for number in range(1, 11):
        issue(rig, number)
    found = []
    for _ in range(10):
        rig.clock.advance(3600)
        found.append(reasons(rig.run()))
    assert found[:3] == [[], [], []]
    assert found[3:] == [["deliveries_lost"]] * 7
    assert len(rig.asked()) == 30
    rig.status_of = lambda *_: 202
    rig.clock.advance(3600)
    issue(rig, 11)
    rig.clock.advance(600)
    assert reasons(rig.run()) == []
    assert len(rig.asked()) == 40
    assert {row.window_start.date() for row in rig.warehouse.rows[-2:]} == {
        START.date(),
        rig.clock.now.date(),
    }
    assert totals(rig.warehouse.rows) == (11, 11, 10, 0, 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": "https://elsewhere.example"}, "hook_missing"),
        ({"active": False}, "hook_inactive"),
        ({"status": 401}, "hook_refused"),
        ({"status": 403}, "hook_refused"),
    ],
)
def test_a_webhook_that_cannot_deliver_is_a_problem(change: dict[str, Any], reason: str) -> None:
    """A webhook that is gone, switched off or refused is reported with its reason and a command."""
    rig = Rig()
    rig.hook(**{name: value for name, value in change.items() if name != "status"})
    rig.status_of = lambda *_: change.get("status", 202)
    issue(rig, 1)
    rig.clock.advance(60)
    report = rig.run()
    assert (report.failures, reasons(report)) == ([], [reason])
    assert report.problems[0].text.endswith("; run ./deploy.sh webhook acme/app")
    assert len(rig.warehouse.rows) == 1


def break_github(rig: Rig, **fault: Any) -> None:
    """Make GitHub fail requests."""
    rig.server.fail_until_cleared(**fault)


FAULTS = {
    "wrong token": (lambda rig: setattr(rig.github, "token", "other"), "token_refused", "set a new one"),
    "no permission": (
        lambda rig: break_github(rig, target="/hooks", status=404),
        "hooks_forbidden",
        "Webhooks: read and write",
    ),
    "read only": (
        lambda rig: break_github(rig, target="/attempts", status=403, message="Resource not accessible"),
        "redelivery_forbidden",
        "Webhooks: read and write",
    ),
    "away": (lambda rig: break_github(rig, status=502), "github_down", "GitHub gives no answer"),
    "list breaks off": (
        lambda rig: break_github(rig, target="cursor=", drop=True),
        "github_down",
        "broke off",
    ),
    "limit": (
        lambda rig: break_github(rig, target="cursor=", status=429, headers={"Retry-After": "1900"}),
        "out_of_time",
        "GitHub's rate limit is used up; the next run continues",
    ),
    "issues": (lambda rig: break_github(rig, target=r"/issues\?", status=500), "github_down", "500"),
    "bigquery": (lambda rig: setattr(rig.warehouse, "is_away", True), "bigquery_failed", "BigQuery"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_run_that_cannot_see_everything_proves_nothing(rig: Rig, name: str) -> None:
    """It fails with one reason and the fix, writes no row, and the next run covers its window."""
    begin, reason, text = FAULTS[name]
    rig.status_of = lambda _event, _guid, number: 503 if number == 1 else 202
    rig.run()
    proven = rig.warehouse.rows[-1].window_end
    rig.clock.advance(60)
    for number in range(1, 151):
        issue(rig, number)
    token = rig.github.token
    for _ in range(4):  # beyond LOOKBACK_HOURS, and into the next day
        rig.clock.advance(5 * 3600)
        if not rig.warehouse.is_away:
            begin(rig)
        report = rig.run()
        assert {failure.reason for failure in report.failures} == {reason}
        assert text in str(report.failures[0])
        assert rig.warehouse.rows[-1].window_end == proven
    rig.server.clear_faults()
    rig.github.token, rig.warehouse.is_away = token, False
    rig.clock.advance(3600)
    report = rig.run()
    assert (report.failures, reasons(report)) == ([], [])
    assert min(row.window_start for row in rig.warehouse.rows) <= proven
    assert totals(rig.warehouse.rows) == (150, 150, 150, 0, 0)


def test_a_gap_that_github_no_longer_lists_is_a_problem(rig: Rig) -> None:
    """After four days without a run, GitHub has forgotten the first of them: an error names them."""
    rig.run()
    rig.clock.advance(4 * 86_400)
    report = rig.run()
    assert (report.failures, reasons(report)) == ([], ["proof_gap"])
    assert "2026-03-04 15:00" in report.problems[0].text
    rig.clock.advance(3600)
    assert reasons(rig.run()) == []


def test_a_delivery_that_ingest_can_never_take_is_refused(rig: Rig) -> None:
    """A delivery answered with 413 is asked for once more, and then counted as refused, which is no error."""
    rig.status_of = lambda *_: 413
    issue(rig, 1)
    for _ in range(4):
        rig.clock.advance(3600)
        report = rig.run()
    assert (len(rig.asked()), reasons(report)) == (1, [])
    assert totals(rig.warehouse.rows) == (1, 0, 0, 1, 0)


def test_one_delivery_that_github_refuses_to_repeat_stops_no_other(rig: Rig) -> None:
    """GitHub refuses one request for a redelivery with 422: the others are asked for, and the run proves."""
    rig.status_of = lambda _event, _guid, number: 503 if number == 1 else 202
    for number in range(1, 4):
        issue(rig, number)
    rig.clock.advance(60)
    rig.server.fail_next(target="/attempts", status=422, message="Validation Failed")
    assert rig.run().failures == []
    assert totals(rig.warehouse.rows) == (3, 2, 2, 0, 0)
    rig.server.fail_until_cleared(target="/attempts", status=422, message="Validation Failed")
    issue(rig, 4)
    issue(rig, 5)
    rig.clock.advance(60)
    assert {failure.reason for failure in rig.run().failures} == {"github_refused"}


@pytest.mark.parametrize(
    ("name", "fault", "reason"),
    [("acme/gone", {"status": 451}, "not_found"), ("acme/slow", {"status": 500}, "github_down")],
)
def test_a_repository_that_cannot_be_read_hides_no_other(
    rig: Rig, name: str, fault: dict[str, Any], reason: str
) -> None:
    """What was missed in the other repositories is published, although the run is not complete."""
    rig.github.organizations.add("acme")
    rig.hook("acme")
    rig.github.host(name)
    for hooks in rig.github.hooks.by_place.values():
        for hook in hooks.values():
            hook["active"] = False
    issue(rig, 1)
    if reason == "not_found":
        rig.github.host("acme/zebra")
        later = an_issue(
            repository=accounts.Repository(full_name="acme/zebra"), number=2, created_at=rig.clock.now
        )
        rig.github.emit("acme/zebra", later.opened())
    rig.clock.advance(1200)
    number = rig.github.repository(name).repository.id
    rig.server.fail_until_cleared(target=rf"(/{number}|{name})/issues", **fault)
    report = rig.run(GITHUB_SOURCES="acme")
    published = [delivery.repository for delivery in rig.topic.published]
    assert published == (["acme/app", "acme/zebra"] if reason == "not_found" else ["acme/app"])
    assert {failure.reason for failure in report.failures} == {reason}
    assert rig.warehouse.rows == []


@pytest.mark.parametrize(("events", "actions"), [("issues", ["labeled"]), ("release", [])])
def test_what_events_leaves_out_is_not_published(rig: Rig, events: str, actions: list[str]) -> None:
    """EVENTS without comments: an issue that was only commented is left alone; without issues, every one."""
    hook = next(iter(rig.github.hooks.by_place["acme/app"].values()))
    commented, labeled = issue(rig, 1), issue(rig, 2)
    hook["active"] = False
    rig.clock.advance(60)
    rig.github.emit("acme/app", commented.commented(MONA, rig.clock.now, "Same here"))
    rig.github.emit("acme/app", labeled.labeled(MONA, rig.clock.now, "bug"))
    rig.clock.advance(1200)
    assert rig.run(EVENTS=events).failures == []
    assert [delivery.action for delivery in rig.topic.published] == actions


def test_a_repository_of_two_sources_is_read_once(rig: Rig) -> None:
    """What was missed is published once if the organization and the repository are both sources."""
    rig.github.organizations.add("acme")
    for hook in rig.github.hooks.by_place["acme/app"].values():
        hook["active"] = False
    issue(rig, 1)
    rig.clock.advance(1200)
    report = rig.run(GITHUB_SOURCES="acme,acme/app,acme/app")
    assert (report.failures, report.counts["missed"], len(rig.topic.published)) == ([], 1, 1)
    assert len(rig.server.targets(r"/issues\?")) == 1
