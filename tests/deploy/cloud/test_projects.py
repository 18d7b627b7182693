"""Resource Manager, Service Usage, service accounts and secrets of the stand-in."""

import pytest

from tests.deploy.cloud.client import (
    ACCOUNTS,
    DOMAIN,
    PROJECT,
    REPLICATION,
    SECRETS,
    account,
    binding,
    secret,
    send,
    topic,
)
from tests.deploy.cloud.state import members_of

SERVICES = f"https://serviceusage.googleapis.com/v1/projects/{PROJECT}/services"


def test_only_an_enabled_api_of_the_own_project_answers(cloud):
    """Before it is enabled an API answers 403, as does every other project."""
    assert send(cloud, "GET", "https://cloudresourcemanager.googleapis.com/v1/projects/another")[0] == 403
    status, answer = send(cloud, "GET", topic("github-events"))
    assert (status, "SERVICE_DISABLED" in str(answer)) == (403, True)
    enabled = {"serviceIds": ["pubsub.googleapis.com", "run.googleapis.com"]}
    assert send(cloud, "POST", f"{SERVICES}:batchEnable", enabled)[0] == 200
    assert send(cloud, "GET", topic("github-events"))[0] == 404
    listed = send(cloud, "GET", f"{SERVICES}?filter=state:ENABLED&pageSize=50")[1]["services"]
    names = {service["config"]["name"] for service in listed}
    assert {"pubsub.googleapis.com", "run.googleapis.com", "iam.googleapis.com"} <= names
    assert "secretmanager.googleapis.com" not in names


def test_a_wrong_token_is_refused(ready):
    """Google's APIs need the access token that gcloud was given."""
    assert send(ready, "GET", topic("github-events"), token="stale")[0] == 401


def test_accounts_and_secrets_are_created_once(ready):
    """An existing name is a conflict, and the name of an account has at least six characters."""
    assert send(ready, "POST", ACCOUNTS, {"accountId": "ingest-fn"})[0] == 409
    assert send(ready, "POST", ACCOUNTS, {"accountId": "short"})[0] == 400
    statuses = [send(ready, "POST", f"{SECRETS}?secretId=s", REPLICATION)[0] for _ in range(2)]
    assert statuses == [200, 409]
    assert send(ready, "POST", secret("s", ":addVersion"), {"payload": {"data": ""}})[0] == 400


def test_a_secret_has_numbered_versions_that_can_be_disabled(ready):
    """The newest version is `latest`; a disabled one has no payload."""
    assert send(ready, "POST", secret("s", ":addVersion"), {"payload": {"data": "eA=="}})[0] == 404
    send(ready, "POST", f"{SECRETS}?secretId=s", REPLICATION)
    for payload in ("b25l", "dHdv"):
        send(ready, "POST", secret("s", ":addVersion"), {"payload": {"data": payload}})
    latest = send(ready, "GET", secret("s", "/versions/latest:access"))[1]
    assert latest["payload"]["data"] == "dHdv"
    assert send(ready, "POST", secret("s", "/versions/1:disable"), {})[0] == 200
    assert send(ready, "GET", secret("s", "/versions/1:access"))[0] == 400
    enabled = send(ready, "GET", secret("s", "/versions?filter=state=ENABLED"))[1]["versions"]
    assert [version["name"].rpartition("/")[2] for version in enabled] == ["2"]


def test_a_deleted_account_stays_in_its_policies_under_another_name(ready):
    """IAM keeps the members of a deleted account as deleted:serviceAccount:...?uid=..."""
    policy = f"https://cloudresourcemanager.googleapis.com/v1/projects/{PROJECT}:setIamPolicy"
    send(ready, "POST", policy, binding("roles/bigquery.jobUser", account("push-fn")))
    assert send(ready, "DELETE", f"{ACCOUNTS}/push-fn@{DOMAIN}")[0] == 200
    left = members_of(ready.state.policies[f"projects/{PROJECT}"], "roles/bigquery.jobUser")
    assert [member.partition("?")[0] for member in left] == [f"deleted:{account('push-fn')}"]


@pytest.mark.parametrize(
    ("url", "role", "member", "status"),
    [
        (topic("github-events"), "roles/pubsub.publisher", account("ingest-fn"), 200),
        (topic("github-events"), "roles/pubsub.publisher", account("nobody"), 400),
        (topic("github-events"), "roles/pubsub.publsher", account("ingest-fn"), 400),
        (topic("github-events"), "roles/secretmanager.secretAccessor", account("ingest-fn"), 400),
        (topic("github-events"), "roles/pubsub.publisher", "ingest-fn", 400),
        (topic("missing"), "roles/pubsub.publisher", account("ingest-fn"), 404),
        (secret("missing"), "roles/secretmanager.secretAccessor", account("ingest-fn"), 404),
    ],
)
def test_a_binding_needs_its_resource_its_role_and_its_member(ready, url, role, member, status):
    """A role is granted on an existing resource that accepts it, to an existing member."""
    assert send(ready, "POST", f"{url}:setIamPolicy", binding(role, member))[0] == status


def test_a_stale_etag_is_a_conflict(ready):
    """Of two clients that have read the same policy, the second to write it is refused."""
    _, policy = send(ready, "GET", f"{topic('github-events')}:getIamPolicy")
    body = binding("roles/pubsub.publisher", account("ingest-fn"))
    body["policy"] |= policy
    assert send(ready, "POST", f"{topic('github-events')}:setIamPolicy", body)[0] == 200
    status, answer = send(ready, "POST", f"{topic('github-events')}:setIamPolicy", body)
    assert (status, answer["error"]["status"]) == (409, "ABORTED")
