"""deploy.sh with the real gcloud and bq in a project that another team uses too."""

import re

import pytest

from tests.deploy.cloud.client import require_tool, send
from tests.deploy.cloud.cloud import Cloud
from tests.deploy.scenario import DeployRig
from tests.support.checkout import make_checkout


@pytest.fixture
def shared(tmp_path):
    """Return a project with another team's function, secret and dataset, for the real tools."""
    for tool in ("gcloud", "bq", "openssl"):
        require_tool(tool)
    with Cloud(tmp_path / "cloud") as cloud:
        cloud.load("gcloud", "bq")
        state = cloud.state
        state.enabled |= {"cloudfunctions.googleapis.com", "secretmanager.googleapis.com"}
        full = f"projects/{state.project}/locations/us-central1/functions/ingest"
        state.functions["ingest"] = {"name": full, "state": "ACTIVE", "labels": {"team": "billing"}}
        secret = "https://secretmanager.googleapis.com/v1/projects/acme-issues/secrets?secretId=slack-token"
        send(cloud, "POST", secret, {"replication": {"automatic": {}}})
        root = "https://bigquery.googleapis.com/bigquery/v2/projects/acme-issues"
        send(cloud, "POST", f"{root}/datasets", {"datasetReference": {"datasetId": "github"}})
        query = {"query": "CREATE TABLE github.events (n INT64)", "useLegacySql": False}
        send(cloud, "POST", f"{root}/jobs", {"configuration": {"query": query}})
        yield DeployRig(cloud=cloud, checkout=make_checkout(tmp_path))
    assert cloud.refused == []


def test_the_real_tools_change_nothing_of_others(shared):
    """In a project whose other APIs are off, every resource of others is found, and nothing is written."""
    before = shared.cloud.snapshot()
    run = shared.run("all", "all")
    assert (run.status, run.requests.writes()) == (1, []), run.err
    assert re.findall(r"^    (\w+ [\w.-]+)$", run.err, re.MULTILINE) == [
        *("secret slack-token", "dataset github", "table github.events", "function ingest"),
    ]
    run = shared.run("slack", "secrets", "slack", stdin="xoxb-1\n")
    assert (run.status, run.requests.writes(), shared.cloud.snapshot()) == (1, [], before), run.err


def test_the_real_tools_adopt_and_remove(shared):
    """What is adopted carries the label, the rest is created with it; `destroy` spares what is not ours."""
    state = shared.cloud.state
    run = shared.run("setup", "--adopt", "slack-token,github,github.events", "setup")
    assert run.status == 0, run.err
    kinds = (state.topics, state.subscriptions, state.secrets, state.datasets, state.tables)
    assert [one for kind in kinds for one in kind.values() if one.get("labels") != {"app": "issuewire"}] == []
    state.tables["github.copy"] = state.tables["github.events"] | {"labels": {"app": "reports"}}
    state.tables["github.copy"]["tableReference"] = {"datasetId": "github", "tableId": "copy"}
    state.secrets["slack-token"]["labels"] = {}
    run = shared.run("destroy", "destroy", "--data", "--yes")
    assert run.status == 0, run.err
    left = [name for kind in (*kinds, state.functions, state.accounts) for name in kind]
    assert left == ["slack-token", "github", "github.copy", "ingest"]
    assert "Kept: the dataset github, because it holds copy." in run.err
    assert "app=issuewire: function ingest, secret slack-token" in run.err
