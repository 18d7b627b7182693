"""ops backfill: a whole history through the real Pub/Sub client, stopped, resumed and repeated."""

import json
import os
import pty
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner, Result
from google.pubsub_v1 import PublisherClient, PullResponse, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from clients.github import client as github_api
from clients.github import responses
from clients.pubsub import batch_publisher as topic
from local.processes import ROOT, free_port
from local.pubsub.server import PubSubServer
from ops.__main__ import ops
from ops.backfill import run as backfill_module
from ops.send import accounts, payloads
from tests.ops.backfill.github_server import TOKEN, GitHubServer, Hosted, Reply
from tests.support.messages import NOON, an_issue

TOPIC = "projects/local-dev/topics/github-events"
SUBSCRIPTION = "projects/local-dev/subscriptions/everything"
APP = accounts.Repository(full_name="acme/app")
MONA = accounts.Account(login="mona")
AUTHOR = accounts.Account(login="octavia")
SECONDS = 60.0
STARTED: list[subprocess.Popen[str]] = []

# A pull that waits would cost a second each time; the service only advises against it.
pytestmark = pytest.mark.filterwarnings("ignore:The return_immediately flag is deprecated")


class PubSub:
    """A topic, and a subscription that keeps all that is published."""

    def __init__(self) -> None:
        self._server = PubSubServer()
        self.host = self._server.start()
        self._channel = grpc.insecure_channel(self.host)
        self._publisher = PublisherClient(transport=PublisherGrpcTransport(channel=self._channel))
        self._subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=self._channel))
        self._publisher.create_topic(name=TOPIC, timeout=10)
        self._subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC, timeout=10)

    def pull(self, subscription: str = SUBSCRIPTION) -> list[Any]:
        """Return all messages that are there, and acknowledge them."""
        found: list[Any] = []
        while True:
            request = {"subscription": subscription, "max_messages": 1000, "return_immediately": True}
            answer = self._subscriber.pull(request, timeout=10)
            received = PullResponse.pb(answer).received_messages
            if not received:
                return found
            ids = [each.ack_id for each in received]
            self._subscriber.acknowledge(subscription=subscription, ack_ids=ids, timeout=10)
            found += [each.message for each in received]

    def stop(self) -> None:
        """End."""
        self._channel.close()
        self._server.stop()


@pytest.fixture
def pubsub() -> Iterator[PubSub]:
    """Start Pub/Sub."""
    pubsub = PubSub()
    yield pubsub
    pubsub.stop()


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    """Start GitHub."""
    server = GitHubServer("/api/v3")
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in an empty folder, without pauses, with none of the runner's settings; leave no process."""
    monkeypatch.setattr(backfill_module, "STATE", tmp_path / "state")
    monkeypatch.setattr(github_api, "FIRST_PAUSE_SECONDS", 0.01)
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "PUBSUB_"))]:
        monkeypatch.delenv(name)
    yield
    while STARTED:
        with STARTED.pop() as process:
            process.kill()


def environment(server: GitHubServer, pubsub: PubSub, **changes: str) -> dict[str, str]:
    """Return the settings of the command."""
    return {
        "GITHUB_API_URL": server.url,
        "GITHUB_TOKEN": TOKEN,
        "PUBSUB_TOPIC": TOPIC,
        "PUBSUB_EMULATOR_HOST": pubsub.host,
        **changes,
    }


def invoke(env: dict[str, str], *options: str, name: str = "acme/app") -> Result:
    """Run the command in this process; the token is never in what it says."""
    runner = CliRunner(env=env)
    result = runner.invoke(ops, ["backfill", name, *options], prog_name="issuewire")
    assert TOKEN not in result.output
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result


def start(env: dict[str, str], *options: str, **arguments: Any) -> subprocess.Popen[str]:
    """Start the command in a process of its own, with the state folder of the test."""
    passed = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    program = (
        "import pathlib\n"
        "from ops.__main__ import ops\n"
        "from ops.backfill import run\n"
        f"run.STATE = pathlib.Path({str(backfill_module.STATE)!r})\n"
        "ops(prog_name='issuewire')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "backfill", "acme/app", *options],
        env={**passed, "PYTHONPATH": str(ROOT), **env},
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **arguments},
    )
    STARTED.append(process)
    return process


def line(result: Result) -> str:
    """Return the one line of a failed command."""
    assert result.exit_code == 1, result.output
    return result.stderr.strip().splitlines()[-1]


def ids(messages: list[Any]) -> list[str]:
    """Return the delivery ids of messages."""
    return [message.attributes["delivery_id"] for message in messages]


def fill(kept: Hosted, issues: int) -> Counter[str]:
    """Give the repository so many issues with a life, and pull requests; return what they deliver."""
    made: Counter[str] = Counter()

    def happen(event: payloads.Event) -> None:
        kept.observe(event)
        made[f"{event.name}.{event.payload['action']}"] += 1

    for number in range(1, issues + 1):
        at = NOON + timedelta(minutes=10 * number)
        issue = an_issue(number=number, created_at=at, title=f"Issue {number}")
        happen(issue.opened())
        happen(issue.commented(MONA, at + timedelta(hours=1), "Looking."))
        happen(issue.commented(AUTHOR, at + timedelta(hours=2), "Thanks."))
        if number % 3:
            happen(issue.closed(MONA, at + timedelta(days=2)))
        if number % 6 == 1:
            happen(issue.reopened(AUTHOR, at + timedelta(days=3)))
    for number in range(issues + 1, issues + 1 + issues // 10):
        pull = an_issue(number=number, created_at=at, is_pull_request=True)
        kept.observe(pull.opened())
        kept.observe(pull.commented(MONA, at, "A review."))
        kept.observe(pull.closed(MONA, at))
    return made


def states(tmp_path: Path) -> list[Path]:
    """Return the state files that are left."""
    return sorted((tmp_path / "state").glob("*"))


def test_five_thousand_issues_survive_a_kill(server: GitHubServer, pubsub: PubSub, tmp_path: Path) -> None:
    """5,000 issues with comments: killed twice and resumed, nothing is missing and nothing doubles."""
    made = fill(server.host(APP), 5_000)
    env = environment(server, pubsub)
    stuck = Reply(hang=True)
    server.fault = lambda target, _number: stuck if "/comments" in target and "page=40" in target else None
    reading = start(env)
    wait_for(lambda: any("page=40" in target and "/comments" in target for target in server.requests))
    reading.kill()
    reading.communicate(timeout=SECONDS)
    server.fault = lambda _target, _number: None
    pages = len([target for target in server.requests if "/issues?" in target])

    found = []
    publishing = start(env)
    wait_for(lambda: found.extend(pubsub.pull()) or len(found) > 600)
    publishing.kill()
    publishing.communicate(timeout=SECONDS)
    assert publishing.returncode == -signal.SIGKILL
    found += pubsub.pull()
    assert len(set(ids(found))) < made.total()

    last = start(env, "--json")
    out, err = last.communicate(timeout=SECONDS)
    assert last.returncode == 0, err
    found += pubsub.pull()
    by_id = {message.attributes["delivery_id"]: message for message in found}
    kinds = Counter(f"{each.attributes['event']}.{each.attributes['action']}" for each in by_id.values())
    assert kinds == made
    assert {each.attributes["source"] for each in by_id.values()} == {"backfill"}
    copies = [message for message in found if message is not by_id[message.attributes["delivery_id"]]]
    assert all(each.data == by_id[each.attributes["delivery_id"]].data for each in copies)
    assert "Continuing the run of" in err
    outcome = json.loads(out)
    assert (outcome["deliveries"], outcome["issues"]) == (dict(sorted(made.items())), 5_000)
    assert (outcome["pull_requests_left_out"], outcome["resumed"]) == (500, True)
    assert len([target for target in server.requests if "/issues?" in target]) == pages, "read once"
    assert states(tmp_path) == []


def test_a_second_run_doubles_nothing(server: GitHubServer, pubsub: PubSub) -> None:
    """Run again when done, it publishes the same delivery ids and bodies, each once, and what is new."""
    kept = server.host(APP)
    made = fill(kept, 250)
    env = environment(server, pubsub)
    assert invoke(env).exit_code == 0
    first = {each.attributes["delivery_id"]: each.data for each in pubsub.pull()}
    assert len(first) == made.total()
    new = an_issue(number=999, created_at=NOON + timedelta(days=90))
    kept.observe(new.opened())
    assert invoke(env).exit_code == 0
    second = pubsub.pull()
    assert len(second) == len(set(ids(second))) == len(first) + 1
    bodies = {each.attributes["delivery_id"]: each.data for each in second}
    assert {name: bodies[name] for name in first} == first


def wait_for(condition: Any) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def test_a_terminal_shows_a_bar_with_an_estimate(server: GitHubServer, pubsub: PubSub) -> None:
    """On a terminal each stage has a bar with its share, its estimate and its count, and ends with a line."""
    fill(server.host(APP), 450)
    parent, child = pty.openpty()
    # Slow enough for an estimate: click makes one after a second.
    server.fault = lambda target, _number: time.sleep(0.3 if "/issues/comments" in target else 0)
    process = start(environment(server, pubsub), stderr=child)
    os.close(child)
    shown = b""
    while True:
        try:
            part = os.read(parent, 65_536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(parent)
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    text = shown.decode()
    assert re.search(r"Reading issues  \[#+-* *\] +\d+%.*\d+ with pull requests", text)
    assert re.search(r"Reading comments  \[.*\] +\d+%  \d\d:\d\d:\d\d", text), text
    assert "Publishing: " in text
    assert out.startswith("acme/app: 450 issues, ")


def test_without_a_terminal_lines_say_how_far_it_is(server: GitHubServer, pubsub: PubSub) -> None:
    """In a log there is no bar, but a line for each stage; stdout holds the outcome alone."""
    made = fill(server.host(APP), 120)
    result = invoke(environment(server, pubsub))
    assert result.stderr.splitlines() == [
        "Reading issues: 132 with pull requests",
        "Reading comments: 252 with those on pull requests",
        f"Reading events: {len(server.hosted['acme/app'].events)} with those of pull requests",
        *[text for text in result.stderr.splitlines() if text.startswith("Reading what the lists left out")],
        f"Publishing: {made.total()} deliveries",
    ]
    assert result.stdout.startswith(f"acme/app: 120 issues, {made.total()} deliveries published in ")


def test_a_long_run_says_something_now_and_then(
    server: GitHubServer, pubsub: PubSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal a stage that takes long says how far it is."""
    fill(server.host(APP), 250)
    monkeypatch.setattr("ops.progress.LINE_SECONDS", 0.0)
    result = invoke(environment(server, pubsub))
    assert re.search(r"Reading issues \(\d+%\): 100 with pull requests", result.stderr)


def test_failures_and_limits_on_the_way_lose_nothing(
    server: GitHubServer, pubsub: PubSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """502, a broken answer and rate limits in the middle: waited for, said, and the history is complete."""
    made = fill(server.host(APP), 250)
    monkeypatch.setattr(responses, "SECONDARY_LIMIT_SECONDS", 1.2)
    faults = {
        3: Reply(status=502, content=""),
        5: Reply(status=429, content={"message": "secondary rate limit"}),
        8: Reply(content=[], cut=1),
    }
    server.fault = lambda _target, number: faults.get(number)
    server.remaining, server.reset_at = 8, time.time() + 2
    result = invoke(environment(server, pubsub), "--json")
    assert result.exit_code == 0, result.output
    found = ids(pubsub.pull())
    assert (len(found), len(set(found))) == (made.total(), made.total())
    assert re.search(
        r"GitHub's rate limit is used up; going on at \d\d:\d\d:\d\d UTC \(in \d s\)\.", result.stderr
    )
    assert "answered 502; going on at" in result.stderr


def test_an_expired_token_stops_it_and_a_new_one_goes_on(
    server: GitHubServer, pubsub: PubSub, tmp_path: Path
) -> None:
    """A token that expires in the middle is one line; with a new one the same command goes on."""
    made = fill(server.host(APP), 250)
    server.fault = lambda _target, number: (
        Reply(status=401, content={"message": "x"}) if number == 5 else None
    )
    first = invoke(environment(server, pubsub))
    assert line(first) == "Error: GitHub refuses the token (401): it has expired or is wrong; set a new one."
    assert pubsub.pull() == []
    [state] = states(tmp_path)
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    server.token = "ghp_new"
    second = invoke(environment(server, pubsub, GITHUB_TOKEN="ghp_new"))
    assert second.exit_code == 0
    assert len(ids(pubsub.pull())) == made.total()
    assert (
        len([target for target in server.requests if target.split("?", maxsplit=1)[0].endswith("/issues")])
        == 3
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"GITHUB_TOKEN": "wrong"}, "GitHub refuses the token (401)"),
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN_FILE or GITHUB_TOKEN is not set"),
        ({"PUBSUB_TOPIC": ""}, "PUBSUB_TOPIC is not set (expected projects/P/topics/T)"),
        ({"PUBSUB_TOPIC": "projects/local-dev/topics/absent"}, "topics/absent does not exist"),
        (
            {"GITHUB_API_URL": "http://127.0.0.1:1"},
            "GitHub gives no answer: http://127.0.0.1:1/repos/acme/app",
        ),
        ({"GITHUB_API_URL": "nonsense"}, "GITHUB_API_URL is not an http or https URL"),
    ],
    ids=["wrong token", "no token", "no topic", "topic missing", "GitHub away", "no URL"],
)
def test_what_is_wrong_is_one_line(
    server: GitHubServer, pubsub: PubSub, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    """Each mistake is one clear line, nothing is published and no state is left."""
    fill(server.host(APP), 3)
    result = invoke(environment(server, pubsub, **changes))
    assert said in line(result)
    assert len(result.stderr.strip().splitlines()) <= github_api.TRIES, "waits are said, then one line"
    assert (result.stdout, pubsub.pull(), states(tmp_path)) == ("", [], [])


def test_an_unknown_repository_is_one_line(server: GitHubServer, pubsub: PubSub, tmp_path: Path) -> None:
    """A repository that is not there leaves nothing behind; a malformed name is not asked for."""
    fill(server.host(APP), 3)
    env = environment(server, pubsub)
    result = invoke(env, name="acme/absent")
    assert line(result) == ("Error: acme/absent does not exist at GitHub, or the token may not read it.")
    assert states(tmp_path) == []
    asked = len(server.requests)
    for name in ("acme", "acme/app/issues", "../app", "acme/a?b", "acme/.."):
        assert invoke(env, name=name).exit_code == 2
    assert len(server.requests) == asked


def test_pubsub_that_goes_away_is_one_line(
    server: GitHubServer, pubsub: PubSub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Pub/Sub nothing is read; when it fails later, what was read stays for the next run."""
    monkeypatch.setattr(topic, "RETRY_SECONDS", 0.3)
    monkeypatch.setattr(topic, "CALL_SECONDS", 2.0)
    made = fill(server.host(APP), 300)
    gone = invoke(environment(server, pubsub, PUBSUB_EMULATOR_HOST=f"127.0.0.1:{free_port()}"))
    assert f"{TOPIC} did not confirm: " in line(gone)
    assert server.requests == []
    flush, flushed = topic.BatchPublisher.flush, []

    def fail(self: topic.BatchPublisher) -> None:
        flush(self)
        flushed.append(1)
        if len(flushed) == 2:
            raise topic.Unavailable("publish_failed", "the answer was lost")

    monkeypatch.setattr(topic.BatchPublisher, "flush", fail)
    assert line(invoke(environment(server, pubsub))) == "Error: the answer was lost"
    asked = len(server.requests)
    monkeypatch.setattr(topic.BatchPublisher, "flush", flush)
    assert invoke(environment(server, pubsub)).exit_code == 0
    assert len(server.requests) == asked + 1, "only the repository is asked for again"
    found = ids(pubsub.pull())
    assert len(set(found)) == made.total() < len(found), "the lost answer's batch came twice, by the same ids"
    assert states(tmp_path) == []


def test_ctrl_c_says_how_to_go_on(server: GitHubServer, pubsub: PubSub) -> None:
    """An interrupt ends it with a sentence and a status of its own; the same command goes on."""
    made = fill(server.host(APP), 150)
    env = environment(server, pubsub)
    server.fault = lambda target, _number: Reply(hang=True) if "/events" in target else None
    process = start(env)
    wait_for(lambda: any("/events" in target for target in server.requests))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert err.strip().splitlines()[-1] == (
        "Stopped. Run the same command again to continue, or with --restart to begin again."
    )
    assert "Traceback" not in err
    server.fault = lambda _target, _number: None
    assert invoke(env).exit_code == 0
    assert len(ids(pubsub.pull())) == made.total()


def test_a_dry_run_counts_and_publishes_nothing(server: GitHubServer, pubsub: PubSub) -> None:
    """It needs no topic; the run that follows publishes what it has read."""
    made = fill(server.host(APP), 60)
    env = environment(server, pubsub)
    dry = invoke({**env, "PUBSUB_TOPIC": ""}, "--dry-run", "--json")
    outcome = json.loads(dry.stdout)
    assert (outcome["deliveries"], outcome["published"]) == (dict(sorted(made.items())), 0)
    assert outcome["dry_run"] is True
    assert pubsub.pull() == []
    asked = len(server.requests)
    assert invoke(env).exit_code == 0
    assert (len(pubsub.pull()), len(server.requests)) == (made.total(), asked + 1)


def test_since_takes_touched_issues_whole(server: GitHubServer, pubsub: PubSub) -> None:
    """--since leaves out issues that nothing touched after it; the others come with all of their life."""
    kept = server.host(APP)
    fill(kept, 200)
    old = an_issue(number=900, created_at=NOON - timedelta(days=900))
    kept.observe(old.opened())
    kept.observe(old.commented(MONA, NOON - timedelta(days=899), "First."))
    kept.observe(old.labeled(MONA, NOON - timedelta(days=898), "bug"))
    kept.observe(old.closed(MONA, NOON + timedelta(days=60)))
    quiet = an_issue(number=901, created_at=NOON - timedelta(days=901))
    kept.observe(quiet.opened())
    result = invoke(environment(server, pubsub), "--since", "2026-02-01", "--json")
    assert result.exit_code == 0, result.output
    found = [json.loads(message.data) for message in pubsub.pull()]
    assert {each["issue"]["number"] for each in found} == {900}
    assert [each["action"] for each in found] == ["opened", "created", "labeled", "closed"]
    lists = [target for target in server.requests if re.search(r"/issues/events\?", target)]
    assert len(lists) == 1, "the list of events is read no further than it is needed"


def test_until_leaves_out_what_the_webhook_told(server: GitHubServer, pubsub: PubSub) -> None:
    """--until is the day the webhook began: nothing from then on is published."""
    fill(server.host(APP), 200)
    result = invoke(environment(server, pubsub), "--until", "2026-01-06T12:00:00Z", "--json")
    assert result.exit_code == 0, result.output
    found = [json.loads(message.data) for message in pubsub.pull()]
    assert max(each["issue"]["updated_at"] for each in found) < "2026-01-06T12:00:00Z"
    assert json.loads(result.stdout)["total"] == len(found) > 0
    assert invoke(environment(server, pubsub), "--until", "yesterday").exit_code == 2


def test_events_that_github_no_longer_lists_are_asked_for_by_issue(
    server: GitHubServer, pubsub: PubSub
) -> None:
    """GitHub ends the list of a large repository's events early: the older issues' own lists fill the gap."""
    made = fill(server.host(APP), 250)
    server.events_pages = 2
    result = invoke(environment(server, pubsub), "--json")
    assert json.loads(result.stdout)["deliveries"] == dict(sorted(made.items()))
    assert any(re.search(r"/issues/\d+/events", target) for target in server.requests)
    server.requests.clear()
    server.fault = lambda target, _number: (
        Reply(status=422, content={"message": "pagination is limited for this resource"})
        if "/events" in target and "page=2" in target
        else None
    )
    assert json.loads(invoke(environment(server, pubsub), "--json").stdout)["deliveries"] == outcome_of(
        result
    )
    assert len(set(ids(pubsub.pull()))) == made.total()


def outcome_of(result: Result) -> Any:
    """Return the deliveries that a run told of."""
    return json.loads(result.stdout)["deliveries"]


def test_comments_and_issues_that_slipped_are_asked_for(server: GitHubServer, pubsub: PubSub) -> None:
    """What a deletion pushes over a page's edge is found by the counts and asked for by itself."""
    kept = server.host(APP)
    made = fill(kept, 250)
    comments, issue = [*kept.comments], kept.issues[42]

    def slip(target: str, _number: int) -> Reply | None:
        kept.comments = comments[:150] + comments[151:] if "/issues/comments" in target else comments
        if target.split("?", maxsplit=1)[0].endswith(("app/issues", f"{APP.id}/issues")):
            kept.issues.pop(42, None)
        else:
            kept.issues[42] = issue
        return None

    server.fault = slip
    result = invoke(environment(server, pubsub), "--json")
    assert outcome_of(result) == dict(sorted(made.items()))


def test_deleted_while_it_is_read(server: GitHubServer, pubsub: PubSub) -> None:
    """An issue that is gone when it is asked for by itself is told as far as it was seen."""
    kept = server.host(APP)
    fill(kept, 20)
    server.events_pages = 1
    server.fault = lambda target, _number: (
        Reply(status=404, content={"message": "Not Found"}) if "/issues/1/" in target else None
    )
    kept.issues[1]["comments"] = 99
    kept.issues[2]["comments"] = 99
    result = invoke(environment(server, pubsub), "--json")
    assert result.exit_code == 0
    assert {json.loads(each.data)["issue"]["number"] for each in pubsub.pull()} == set(range(1, 21))


def test_cursors_are_followed(server: GitHubServer, pubsub: PubSub) -> None:
    """github.com pages large lists of issues by cursor: its links are followed as they are."""
    made = fill(server.host(APP), 250)
    server.cursors = True
    assert outcome_of(invoke(environment(server, pubsub), "--json")) == dict(sorted(made.items()))


def test_one_backfill_of_a_repository_at_a_time(server: GitHubServer, pubsub: PubSub) -> None:
    """A second one says so and touches nothing; another repository may go on beside it."""
    fill(server.host(APP), 10)
    env = environment(server, pubsub)
    server.fault = lambda target, _number: Reply(hang=True) if "app/issues/events" in target else None
    process = start(env)
    wait_for(lambda: any("/events" in target for target in server.requests))
    assert line(invoke(env)) == "Error: another backfill of this repository is running."
    assert line(invoke(env, "--restart")) == "Error: another backfill of this repository is running."
    process.kill()
    process.communicate(timeout=SECONDS)
    server.fault = lambda _target, _number: None
    assert invoke(env).exit_code == 0


def test_another_request_does_not_go_on_with_it(server: GitHubServer, pubsub: PubSub) -> None:
    """A resumed run has the same --since; --restart forgets the old one."""
    made = fill(server.host(APP), 60)
    env = environment(server, pubsub)
    assert invoke(env, "--dry-run", "--since", "2026-01-02").exit_code == 0
    assert line(invoke(env)) == (
        "Error: the interrupted run had --since 2026-01-02T00:00:00+00:00; give the same again, or --restart."
    )
    assert outcome_of(invoke(env, "--restart", "--json")) == dict(sorted(made.items()))


def test_another_topic_gets_all_of_it(
    server: GitHubServer, pubsub: PubSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was published to one topic counts for that one only: another gets all of it."""
    made = fill(server.host(APP), 300)
    env = environment(server, pubsub)
    monkeypatch.setattr(backfill_module, "BATCH_MESSAGES", 50)
    save = backfill_module.BackfillStore.save

    def stop(self: Any, checkpoint: Any = None, **values: Any) -> None:
        save(self, checkpoint, **values)
        if checkpoint is not None and checkpoint.published is not None:
            raise KeyboardInterrupt

    monkeypatch.setattr(backfill_module.BackfillStore, "save", stop)
    assert invoke({**env}).exit_code == 130
    assert 0 < len(pubsub.pull()) < made.total()
    monkeypatch.setattr(backfill_module.BackfillStore, "save", save)
    other = PubSub()
    other._publisher.create_topic(name=f"{TOPIC}-2", timeout=10)
    other._subscriber.create_subscription(name=f"{SUBSCRIPTION}-2", topic=f"{TOPIC}-2", timeout=10)
    result = invoke({**env, "PUBSUB_TOPIC": f"{TOPIC}-2", "PUBSUB_EMULATOR_HOST": other.host}, "--json")
    found = ids(other.pull(f"{SUBSCRIPTION}-2"))
    other.stop()
    assert json.loads(result.stdout)["published"] == len(set(found)) == made.total()


def test_a_damaged_state_is_one_line(server: GitHubServer, pubsub: PubSub, tmp_path: Path) -> None:
    """A state file that is none is said, and --restart replaces it."""
    fill(server.host(APP), 5)
    env = environment(server, pubsub)
    assert invoke(env, "--dry-run").exit_code == 0
    [state] = states(tmp_path)
    state.write_bytes(b"not a database, " * 400)
    assert "use --restart to begin again" in line(invoke(env))
    assert invoke(env, "--restart").exit_code == 0
    with pytest.raises(sqlite3.OperationalError):
        sqlite3.connect(f"file:{state}?mode=ro", uri=True)


def test_a_repository_without_issues_is_no_error(server: GitHubServer, pubsub: PubSub) -> None:
    """Nothing to tell is told as such."""
    server.host(APP)
    result = invoke(environment(server, pubsub))
    assert result.exit_code == 0
    assert result.stdout.startswith("acme/app: 0 issues, 0 deliveries published in ")


def test_history_too_old_for_streaming_is_said(
    server: GitHubServer, pubsub: PubSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What BigQuery takes by load jobs alone is counted and, when it is more than a day's load jobs, said."""
    kept = server.host(APP)
    fill(kept, 5)
    for number in range(900, 903):
        kept.observe(an_issue(number=number, created_at=NOON - timedelta(days=3000)).opened())
    monkeypatch.setattr(backfill_module, "LOADS_PER_DAY", 2)
    result = invoke(environment(server, pubsub), "--dry-run", "--json")
    assert json.loads(result.stdout)["too_old_to_stream"] == 3
    assert "About 3 deliveries are older than 1,824 days." in result.stderr
    monkeypatch.setattr(backfill_module, "LOADS_PER_DAY", 3)
    assert "About" not in invoke(environment(server, pubsub), "--dry-run").stderr


def test_a_list_of_issues_that_ends_early_is_an_error(server: GitHubServer, pubsub: PubSub) -> None:
    """Issues that GitHub will not list cannot be asked for otherwise: said, and nothing is published."""
    fill(server.host(APP), 150)
    limited = Reply(status=422, content={"message": "pagination is limited for this resource"})
    server.fault = lambda _target, number: limited if number == 3 else None
    assert line(invoke(environment(server, pubsub))).endswith("/issues is not listed any further.")
    assert pubsub.pull() == []


def test_received_at_is_the_run_s_and_grows(server: GitHubServer, pubsub: PubSub) -> None:
    """received_at is when the run began, by GitHub's clock, so a resumed run tells the same."""
    fill(server.host(APP), 3)
    server.now = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)
    assert invoke(environment(server, pubsub)).exit_code == 0
    found = pubsub.pull()
    assert {each.attributes["received_at"][:23] for each in found} == {"2026-10-01T08:00:00.000"}
    assert {each.attributes["repository"] for each in found} == {"acme/app"}
