"""A backfill publishes a whole history once, even if it is stopped, resumed and repeated."""

import json
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clients.pubsub import batch_publisher
from local.github.repository import HostedRepository
from local.github.server import GitHubServer
from local.processes import free_port
from ops.backfill import run
from tests.ops.backfill.rig import (
    SECONDS,
    PubSub,
    environment,
    error_line,
    fill,
    ids,
    invoke,
    start,
    wait_for,
)
from tests.support.messages import NOON, an_issue


def test_a_killed_run_resumes(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository, state: Path
) -> None:
    """A run that is killed while it reads or publishes resumes with nothing missing and nothing twice."""
    delivered = fill(hosted, 1_200)
    env = environment(server, pubsub)
    server.fail_until_cleared(target="/comments.*page=10(?!\\d)", hang=30)
    reading = start(env)
    wait_for(lambda: server.targets("/comments.*page=10(?!\\d)"))
    reading.kill()
    reading.communicate(timeout=SECONDS)
    server.clear_faults()
    pages = len(server.targets("/issues\\?"))

    found: list[Any] = []
    publishing = start(env)
    wait_for(lambda: found.extend(pubsub.pull()) or len(found) > 600)
    publishing.kill()
    publishing.communicate(timeout=SECONDS)
    assert publishing.returncode == -signal.SIGKILL
    found += pubsub.pull()
    assert len(set(ids(found))) < delivered.total()

    last = start(env, "--json")
    out, err = last.communicate(timeout=SECONDS)
    assert last.returncode == 0, err
    found += pubsub.pull()
    by_id = {message.attributes["delivery_id"]: message for message in found}
    kinds = Counter(f"{each.attributes['event']}.{each.attributes['action']}" for each in by_id.values())
    assert kinds == delivered
    assert {each.attributes["source"] for each in by_id.values()} == {"backfill"}
    copies = [message for message in found if message is not by_id[message.attributes["delivery_id"]]]
    assert all(each.data == by_id[each.attributes["delivery_id"]].data for each in copies)
    assert "Continuing the run of" in err
    outcome = json.loads(out)
    assert (outcome["deliveries"], outcome["issues"]) == (dict(sorted(delivered.items())), 1_200)
    assert (outcome["pull_requests_left_out"], outcome["resumed"]) == (120, True)
    assert len(server.targets("/issues\\?")) == pages, "each page is read once"
    assert [*state.glob("*")] == []


def test_a_second_run_doubles_nothing(server: GitHubServer, pubsub: PubSub, hosted: HostedRepository) -> None:
    """A second run publishes the same delivery ids and bodies, each once, and what is new."""
    delivered = fill(hosted, 150)
    env = environment(server, pubsub)
    assert invoke(env).exit_code == 0
    first = {each.attributes["delivery_id"]: each.data for each in pubsub.pull()}
    assert len(first) == delivered.total()
    hosted.record(an_issue(number=999, created_at=NOON + timedelta(days=90)).opened())
    assert invoke(env).exit_code == 0
    second = pubsub.pull()
    assert len(second) == len(set(ids(second))) == len(first) + 1
    bodies = {each.attributes["delivery_id"]: each.data for each in second}
    assert {name: bodies[name] for name in first} == first


def test_nothing_is_read_without_pubsub(
    server: GitHubServer, pubsub: PubSub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the topic cannot be reached, the error is one line and GitHub is not asked."""
    monkeypatch.setattr(batch_publisher, "RETRY_SECONDS", 0.3)
    monkeypatch.setattr(batch_publisher, "CALL_SECONDS", 2.0)
    env = environment(server, pubsub, PUBSUB_EMULATOR_HOST=f"127.0.0.1:{free_port()}")
    assert f"{pubsub.topic} did not confirm: " in error_line(invoke(env))
    assert server.requests == []


def test_a_lost_confirmation_is_published_again(
    server: GitHubServer,
    pubsub: PubSub,
    hosted: HostedRepository,
    state: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If Pub/Sub fails later, the next run reads nothing again and repeats the batch with the same ids."""
    delivered = fill(hosted, 300)
    flush, flushed = batch_publisher.BatchPublisher.flush, []

    def fail(self: batch_publisher.BatchPublisher) -> None:
        flush(self)
        flushed.append(1)
        if len(flushed) == 2:
            raise batch_publisher.Unavailable("publish_failed", "the answer was lost")

    monkeypatch.setattr(batch_publisher.BatchPublisher, "flush", fail)
    assert error_line(invoke(environment(server, pubsub))) == "Error: the answer was lost"
    asked = len(server.requests)
    monkeypatch.setattr(batch_publisher.BatchPublisher, "flush", flush)
    assert invoke(environment(server, pubsub)).exit_code == 0
    assert len(server.requests) == asked + 1, "only the repository is asked for again"
    found = ids(pubsub.pull())
    assert len(set(found)) == delivered.total() < len(found)
    assert [*state.glob("*")] == []


def test_another_topic_gets_everything(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint counts what one topic has confirmed; another topic gets all of the history."""
    delivered = fill(hosted, 60)
    monkeypatch.setattr(run, "BATCH_MESSAGES", 50)
    save = run.BackfillStore.save

    def interrupt(self: Any, checkpoint: Any = None, **values: Any) -> None:
        save(self, checkpoint, **values)
        if checkpoint is not None and checkpoint.delivered:
            raise KeyboardInterrupt

    monkeypatch.setattr(run.BackfillStore, "save", interrupt)
    assert invoke(environment(server, pubsub)).exit_code == 130
    assert 0 < len(pubsub.pull()) < delivered.total()
    monkeypatch.setattr(run.BackfillStore, "save", save)
    other = PubSub()
    result = invoke(environment(server, other), "--json")
    found = ids(other.pull())
    other.stop()
    assert json.loads(result.stdout)["published"] == len(set(found)) == delivered.total()


def test_another_since_does_not_resume(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """A resumed run needs the same --since; --restart forgets the old one."""
    delivered = fill(hosted, 60)
    env = environment(server, pubsub)
    assert invoke(env, "--dry-run", "--since", "2026-01-02").exit_code == 0
    assert error_line(invoke(env)) == (
        "Error: the interrupted run had --since 2026-01-02T00:00:00+00:00; give the same again, or --restart."
    )
    assert json.loads(invoke(env, "--restart", "--json").stdout)["total"] == delivered.total()
    assert invoke(env, "--dry-run").exit_code == 0
    assert "the interrupted run had no --since" in error_line(invoke(env, "--since", "2026-01-02"))


def test_a_repository_runs_once_at_a_time(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """A second backfill of the same repository is an error and changes nothing, also with --restart."""
    fill(hosted, 10)
    env = environment(server, pubsub)
    server.fail_until_cleared(target="app/issues/events", hang=30)
    process = start(env)
    wait_for(lambda: server.targets("/events"))
    assert error_line(invoke(env)) == "Error: another backfill of this repository is running."
    assert error_line(invoke(env, "--restart")) == "Error: another backfill of this repository is running."
    process.kill()
    process.communicate(timeout=SECONDS)
    server.clear_faults()
    assert invoke(env).exit_code == 0


def test_until_leaves_the_rest_to_the_webhook(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """--until is the day the webhook began: nothing from then on is published."""
    fill(hosted, 200)
    result = invoke(environment(server, pubsub), "--until", "2026-01-06T12:00:00Z", "--json")
    assert result.exit_code == 0, result.output
    found = [json.loads(message.data) for message in pubsub.pull()]
    assert max(each["issue"]["updated_at"] for each in found) < "2026-01-06T12:00:00Z"
    assert json.loads(result.stdout)["total"] == len(found) > 0


def test_received_at_is_the_start_of_the_run(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """received_at is when the run began, by GitHub's clock, so that a resumed run publishes the same."""
    fill(hosted, 3)
    server.github.now = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)
    assert invoke(environment(server, pubsub)).exit_code == 0
    found = pubsub.pull()
    assert {each.attributes["received_at"][:23] for each in found} == {"2026-10-01T08:00:00.000"}
    assert {each.attributes["repository"] for each in found} == {"acme/app"}
