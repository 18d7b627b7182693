"""The stand-in gives its tests faults, snapshots, and a list of unexpected requests."""

import shutil

import pytest

from tests.deploy.cloud.client import (
    DOMAIN,
    PROJECT,
    account,
    binding,
    deploy,
    function_body,
    require_tool,
    send,
    topic,
)
from tests.deploy.cloud.messages import Answer


def test_a_fault_affects_one_request(ready):
    """An injected answer and an account that IAM does not know yet fail once; then the request succeeds."""
    ready.faults.inject("GET", "pubsub.googleapis.com", "/topics/github-events$", 503)
    assert [send(ready, "GET", topic("github-events"))[0] for _ in range(2)] == [503, 200]
    assert ready.faults.unused == []
    ready.faults.delay_iam(f"push-fn@{DOMAIN}", 1)
    url, body = (
        f"{topic('github-events')}:setIamPolicy",
        binding("roles/pubsub.publisher", account("push-fn")),
    )
    assert [send(ready, "POST", url, body)[0] for _ in range(2)] == [400, 200]
    assert (
        ready.requests.of(path="setIamPolicy").lines()
        == [f"POST pubsub.googleapis.com/v1/projects/{PROJECT}/topics/github-events:setIamPolicy"] * 2
    )


def test_a_snapshot_leaves_out_times(ready):
    """Two snapshots are equal if nothing except times, etags and uploads has changed."""
    deploy(ready, function_body(ready))
    before = ready.snapshot()
    assert before["functions"]["ingest"]["buildConfig"]["runtime"] == "python313"
    function = ready.state.functions["ingest"]
    function["updateTime"] = function["buildConfig"]["source"]["storageSource"]["object"] = "another"
    assert ready.snapshot() == before
    send(ready, "PATCH", topic("github-events"), {"topic": {"labels": {"a": "b"}}, "updateMask": "labels"})
    assert ready.snapshot() != before


def test_a_crash_of_the_stand_in_is_recorded(ready, monkeypatch):
    """A bug in the stand-in is recorded for the test, and the client gets an answer."""
    monkeypatch.setattr(ready.state, "topics", None)
    assert send(ready, "GET", topic("github-events"))[0] == 400
    assert ready.refused.pop().startswith("crash at GET pubsub.googleapis.com")


def test_an_injected_answer_may_be_bytes(ready):
    """The body of an injected answer need not be JSON."""
    ready.faults.inject("GET", "pubsub.googleapis.com", "topics", 502, b"<html>")
    assert send(ready, "GET", topic("github-events")) == (502, b"<html>")
    assert Answer(body=b"x").content == b"x"


def test_a_missing_tool_skips_at_home_and_fails_in_ci(monkeypatch):
    """Without gcloud the tests are skipped with the reason, but CI must run them."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="gcloud is not installed"):
        require_tool("gcloud")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must run these tests"):
        require_tool("gcloud")
