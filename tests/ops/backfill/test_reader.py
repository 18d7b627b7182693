"""The history is complete even if GitHub's lists are not, or GitHub fails during the run."""

import json
import re
import stat
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from local.github.repository import HostedRepository
from local.github.server import GitHubServer
from tests.ops.backfill.rig import MONA, PubSub, environment, error_line, fill, ids, invoke
from tests.support.messages import NOON, an_issue


def deliveries_of(result: Result) -> Any:
    """Return the deliveries that a run has counted."""
    return json.loads(result.stdout)["deliveries"]


def test_failures_and_limits_lose_nothing(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """A 502, a broken answer and rate limits are waited for and reported; the history is complete."""
    delivered = fill(hosted, 250)
    server.fail_next(number=3, status=502)
    server.fail_next(number=5, status=429, headers={"Retry-After": "1"})
    server.fail_next(number=8, half=True, after=True)
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()))}
    server.fail_next(number=7, status=403, headers=used_up)
    result = invoke(environment(server, pubsub), "--json")
    assert result.exit_code == 0, result.output
    found = ids(pubsub.pull())
    assert (len(found), len(set(found))) == (delivered.total(), delivered.total())
    waits = re.findall(
        r"GitHub's rate limit is used up; continuing at \d\d:\d\d:\d\d UTC \(in \d s\)\.", result.stderr
    )
    assert len(waits) == 2
    assert "answered 502; continuing at" in result.stderr


def test_a_new_token_continues_the_run(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository, state: Path
) -> None:
    """A token that expires in the middle is one line; with a new one the same command continues."""
    delivered = fill(hosted, 250)
    server.fail_next(number=5, status=401)
    first = invoke(environment(server, pubsub))
    assert error_line(first) == (
        "Error: GitHub refuses the token (401): it has expired or is wrong; set a new one."
    )
    assert pubsub.pull() == []
    [store] = state.glob("*")
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    server.github.token = "ghp_new"
    assert invoke(environment(server, pubsub, GITHUB_TOKEN="ghp_new")).exit_code == 0
    assert len(ids(pubsub.pull())) == delivered.total()
    assert len(server.targets(r"/issues\?")) == 3


def test_since_takes_whole_issues(server: GitHubServer, pubsub: PubSub, hosted: HostedRepository) -> None:
    """--since leaves out issues last updated before it; the others come with their whole history."""
    fill(hosted, 200)
    old = an_issue(number=900, created_at=NOON - timedelta(days=900))
    hosted.record(old.opened())
    hosted.record(old.commented(MONA, NOON - timedelta(days=899), "First."))
    hosted.record(old.labeled(MONA, NOON - timedelta(days=898), "bug"))
    hosted.record(old.closed(MONA, NOON + timedelta(days=60)))
    hosted.record(an_issue(number=901, created_at=NOON - timedelta(days=901)).opened())
    result = invoke(environment(server, pubsub), "--since", "2026-02-01", "--json")
    assert result.exit_code == 0, result.output
    found = [json.loads(message.data) for message in pubsub.pull()]
    assert {each["issue"]["number"] for each in found} == {900}
    assert [each["action"] for each in found] == ["opened", "created", "labeled", "closed"]
    assert len(server.targets(r"/issues/events\?")) == 1, "the list of events is read no further than needed"


def test_events_that_are_not_listed_are_asked_for_by_issue(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """GitHub lists a large repository's events only so far back: older ones come from their issues."""
    delivered = fill(hosted, 90)
    server.github.event_pages = 1
    result = invoke(environment(server, pubsub), "--json")
    assert deliveries_of(result) == dict(sorted(delivered.items()))
    assert server.targets(r"/issues/\d+/events")


@pytest.mark.parametrize(
    "message",
    [
        "pagination is limited for this resource",
        "Pagination with the page parameter is not supported for large datasets",
    ],
)
def test_a_refused_page_of_events_ends_the_list(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository, message: str
) -> None:
    """If GitHub refuses a page although a link led there, the older events come from their issues."""
    delivered = fill(hosted, 90)
    server.fail_next(status=422, message=message, target="/events.*page=2")
    result = invoke(environment(server, pubsub), "--json")
    assert deliveries_of(result) == dict(sorted(delivered.items()))


def test_entries_that_the_lists_skip_are_asked_for(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """An entry that a deletion moves to a page already read is found by the counts and asked for alone."""
    delivered = fill(hosted, 120)
    hosted.unlisted = {hosted.issues[42]["id"], hosted.comments[150]["id"]}
    result = invoke(environment(server, pubsub), "--json")
    assert deliveries_of(result) == dict(sorted(delivered.items()))


def test_an_issue_deleted_meanwhile_is_published_as_it_was_read(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """An issue that is deleted before it is asked for alone is published as far as the lists had it."""
    fill(hosted, 20)
    server.fail_until_cleared(status=404, target="/issues/1/")
    hosted.issues[1]["comments"] = 99
    hosted.issues[2]["comments"] = 99
    assert invoke(environment(server, pubsub), "--json").exit_code == 0
    assert {json.loads(each.data)["issue"]["number"] for each in pubsub.pull()} == set(range(1, 21))


def test_cursors_are_followed(server: GitHubServer, pubsub: PubSub, hosted: HostedRepository) -> None:
    """github.com pages large lists of issues by cursor: its links are followed unchanged."""
    delivered = fill(hosted, 120)
    server.github.has_cursors = True
    result = invoke(environment(server, pubsub), "--json")
    assert deliveries_of(result) == dict(sorted(delivered.items()))


def test_a_repository_that_becomes_large_is_read_by_cursor(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """If GitHub takes no page number any more, the list of issues is read again by cursor."""
    delivered = fill(hosted, 120)
    server.fail_until_cleared(status=403, target="/issues[?].*[?&]page=2")
    env = environment(server, pubsub)
    assert invoke(env).exit_code == 1
    server.clear_faults()
    server.github.has_cursors = True
    result = invoke(env, "--json")
    assert deliveries_of(result) == dict(sorted(delivered.items()))


def test_a_list_of_issues_that_ends_early_is_an_error(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """Issues that GitHub does not list cannot be found otherwise: an error, and nothing is published."""
    fill(hosted, 110)
    server.fail_next(number=3, status=422, message="pagination is limited for this resource")
    assert error_line(invoke(environment(server, pubsub))).endswith("/issues is not listed any further.")
    assert pubsub.pull() == []


def test_another_repository_of_the_same_name_does_not_resume(
    server: GitHubServer, pubsub: PubSub, hosted: HostedRepository
) -> None:
    """If the name belongs to another repository by now, the interrupted run does not continue."""
    fill(hosted, 3)
    env = environment(server, pubsub)
    assert invoke(env, "--dry-run").exit_code == 0
    described = json.dumps(hosted.repository.as_json() | {"id": 1})
    server.fail_next(status=200, body=described)
    assert error_line(invoke(env)) == ("Error: acme/app is another repository than before; use --restart.")
