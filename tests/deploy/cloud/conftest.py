"""An open stand-in for the cloud, empty or prepared."""

from typing import Any

import pytest

from tests.deploy.cloud.certificates import make_certificates
from tests.deploy.cloud.client import ACCOUNTS, PROJECT, account, binding, require_tool, send, topic
from tests.deploy.cloud.cloud import HOSTS, Cloud

APIS = ("artifactregistry", "cloudbuild", "cloudfunctions", "iam", "pubsub", "run", "secretmanager")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Create the certificates of all stand-ins."""
    require_tool("openssl")
    return make_certificates(tmp_path_factory.mktemp("certificates"), HOSTS)


@pytest.fixture
def cloud(tmp_path, certificates):
    """Open a stand-in; at the end there must be no unexpected request that the test has not checked."""
    with Cloud(tmp_path / "cloud", certificates) as opened:
        yield opened
    assert opened.refused == []


@pytest.fixture
def ready(cloud):
    """Open a stand-in with APIs, three accounts, a topic and a repository, as after the first setup."""
    cloud.state.enabled |= {f"{name}.googleapis.com" for name in APIS}
    cloud.state.github.host("acme/app")
    for name in ("ingest-fn", "build-fn", "push-fn"):
        send(cloud, "POST", ACCOUNTS, {"accountId": name})
    send(cloud, "PUT", topic("github-events"), {})
    policy = binding("roles/cloudbuild.builds.builder", account("build-fn"))
    send(
        cloud,
        "POST",
        f"https://cloudresourcemanager.googleapis.com/v1/projects/{PROJECT}:setIamPolicy",
        policy,
    )
    cloud.requests.clear()
    return cloud


@pytest.fixture
def alert():
    """Return a function that makes an alert policy, with changes to its condition."""

    def make(**changes: Any) -> dict[str, Any]:
        condition = {
            "filter": 'metric.type = "pubsub.googleapis.com/subscription/num_undelivered_messages"'
            ' AND resource.type = "pubsub_subscription"',
            "comparison": "COMPARISON_GT",
            "duration": "60s",
            "aggregations": [{"alignmentPeriod": "60s", "perSeriesAligner": "ALIGN_MAX"}],
        }
        named = {"displayName": "dead letters", "conditionThreshold": condition | changes}
        return {"displayName": "Dead letters", "combiner": "OR", "conditions": [named]}

    return make
