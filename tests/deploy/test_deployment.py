"""A deployment with the real gcloud, bq and curl makes the expected requests and resources."""

import base64
import re
import zipfile
from io import BytesIO

import pytest

from tests.deploy.cloud.state import members_of
from tests.deploy.manifest_github import APP
from tests.deploy.scenario import DOMAIN, PROJECT, SLACK_TOKEN
from tests.support.checkout import CHANNEL, ROOT

FUNCTIONS = ("ingest", "notify-slack", "stream-bq")
AGENT = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
BINDINGS = {
    "topics/github-events": {("roles/pubsub.publisher", "ingest")},
    "topics/github-events-dead": {("roles/pubsub.publisher", "AGENT")},
    "subscriptions/notify-slack": {("roles/pubsub.subscriber", "AGENT")},
    "subscriptions/stream-bq": {("roles/pubsub.subscriber", "AGENT")},
    "secrets/github-webhook-secret": {("roles/secretmanager.secretAccessor", "ingest")},
    "secrets/slack-token": {("roles/secretmanager.secretAccessor", "notify-slack")},
    "datasets/github/tables/events": {("roles/bigquery.dataEditor", "stream-bq")},
    f"serviceAccounts/issuewire-push@{DOMAIN}": {("roles/iam.serviceAccountTokenCreator", "AGENT")},
    "locations/us-central1/services/ingest": {("roles/run.invoker", "allUsers")},
    "locations/us-central1/services/notify-slack": {("roles/run.invoker", "push")},
    "locations/us-central1/services/stream-bq": {("roles/run.invoker", "push")},
    "": {
        ("roles/bigquery.jobUser", "stream-bq"),
        ("roles/logging.logWriter", "build"),
        ("roles/artifactregistry.writer", "build"),
        ("roles/storage.objectViewer", "build"),
    },
}


def bindings(state):
    """Return who has which role on which resource, in short names."""
    names = {
        f"serviceAccount:issuewire-{name}@{DOMAIN}": name
        for name in (*FUNCTIONS, "reconcile", "triage", "push", "build")
    }
    names |= {AGENT: "AGENT", "allUsers": "allUsers"}
    return {
        resource.removeprefix(f"projects/{PROJECT}").lstrip("/"): {
            (binding["role"], names[member])
            for binding in policy["bindings"]
            for member in members_of(policy, binding["role"])
        }
        for resource, policy in state["policies"].items()
        if policy["bindings"]
    }


def first(requests, method, path):
    """Return the position of the first matching request."""
    return next(
        number
        for number, request in enumerate(requests)
        if request.method == method and re.search(path, request.path)
    )


def test_secrets_are_stored_byte_for_byte(deployed):
    """The webhook secret is 64 hex digits, Slack's token is that of stdin; neither has a newline."""
    after = deployed.runs["slack"].after
    stored = {name: base64.b64decode(versions[0]["payload"]) for name, versions in after["versions"].items()}
    assert re.fullmatch(rb"[0-9a-f]{64}", stored["github-webhook-secret"])
    assert stored["slack-token"] == SLACK_TOKEN.encode()


def test_a_failed_first_run_does_not_deploy_ingest(deployed):
    """A failed first run reports the build and the role that failed, and does not deploy ingest."""
    run = deployed.runs["first"]
    assert run.status == 1
    assert "Build failed: injected" in run.err
    assert "injected fault 403" in run.err
    assert "deploy.sh: failed while: function notify_slack" in run.err
    assert "deploy.sh: failed while: push to stream_bq" in run.err
    assert run.err.splitlines()[-1].endswith("Fix the cause and run again: ./deploy.sh all")
    assert "ingest was not changed" in run.err
    assert "ingest" not in run.after["functions"]
    assert "pushEndpoint" not in run.after["subscriptions"]["notify-slack"]["pushConfig"]
    assert "pushEndpoint" not in run.after["subscriptions"]["stream-bq"]["pushConfig"]


def test_a_503_and_the_delay_of_iam_do_not_end_a_run(deployed):
    """A call that ends with a 503, or that IAM refuses for a new account, is tried again."""
    run = deployed.runs["first"]
    assert "waiting for IAM to see the new account" in run.err
    assert deployed.cloud.faults.unused == []
    assert (
        run.requests.of("GET", path="/topics$").lines()[:2]
        == [f"GET pubsub.googleapis.com/v1/projects/{PROJECT}/topics"] * 2
    )


def test_subscriptions_exist_before_functions(deployed):
    """The subscriptions keep messages and the roles are granted before any function is built."""
    requests = deployed.runs["first"].requests
    build = first(requests, "POST", "/functions$")
    for name in ("github-events-dead-hold", "notify-slack", "stream-bq"):
        assert first(requests, "PUT", f"/subscriptions/{name}$") < build
    assert first(requests, "POST", f"projects/{PROJECT}:setIamPolicy$") < build


def test_the_same_command_completes_a_failed_run(deployed):
    """The same command completes a failed run and creates nothing a second time."""
    run = deployed.runs["second"]
    assert run.status == 0, run.err
    assert set(run.after["functions"]) == set(FUNCTIONS)
    assert {function["state"] for function in run.after["functions"].values()} == {"ACTIVE"}
    assert "stream_bq is unchanged" in run.err
    made = [
        line for line in run.requests.writes().lines() if re.match(r"(PUT|POST) (pubsub|iam)\S+/\w+$", line)
    ]
    assert made == []
    url = run.after["functions"]["ingest"]["serviceConfig"]["uri"]
    assert run.out == f"Webhook URL: {url}/\n"


def test_ingest_is_deployed_last(deployed):
    """The function ingest is created after both subscribers have their push endpoints."""
    requests = deployed.runs["second"].requests
    ingest = next(
        n for n, r in enumerate(requests) if r.method == "POST" and r.query.get("functionId") == "ingest"
    )
    for name in ("notify-slack", "stream-bq"):
        assert first(requests, "PATCH", f"/subscriptions/{name}$") < ingest


def test_a_run_with_nothing_to_do_changes_nothing(deployed):
    """A run with nothing to do uploads, creates and updates nothing."""
    run = deployed.runs["third"]
    assert run.status == 0, run.err
    assert run.after == deployed.runs["second"].after
    assert [len(zips) for zips in deployed.cloud.zips.values()] == [1, 1, 1]
    kinds = {
        request.path.rpartition(":")[2] if ":" in request.path else request.path.rpartition("/")[2]
        for request in run.requests.writes()
    }
    assert kinds == {"batchEnable", "setIamPolicy", "jobs"}
    assert run.requests.of("POST", path=f"projects/{PROJECT}:setIamPolicy$") == []


@pytest.mark.parametrize("name", ["notify-slack", "stream-bq"])
def test_a_subscription_loses_nothing(deployed, name):
    """Retention, expiry, deadline, backoff, dead letters and identity are set so that no message is lost."""
    after = deployed.runs["second"].after
    made = after["subscriptions"][name]
    config = after["functions"][name]["serviceConfig"]
    assert made["topic"] == f"projects/{PROJECT}/topics/github-events"
    assert made["messageRetentionDuration"] == "604800s"
    assert made["expirationPolicy"] == {}
    assert made["ackDeadlineSeconds"] > config["timeoutSeconds"]
    assert made["retryPolicy"] == {"minimumBackoff": "10s", "maximumBackoff": "600s"}
    assert made["deadLetterPolicy"] == {
        "deadLetterTopic": f"projects/{PROJECT}/topics/github-events-dead",
        "maxDeliveryAttempts": 100,
    }
    push = made["pushConfig"]
    assert push["pushEndpoint"] == f"{config['uri']}/"
    assert push["oidcToken"] == {
        "serviceAccountEmail": f"issuewire-push@{DOMAIN}",
        "audience": config["uri"],
    }
    assert config["ingressSettings"] == "ALLOW_INTERNAL_ONLY"


def test_dead_letters_are_kept(deployed):
    """The dead-letter topic has a pull subscription that never expires and keeps messages for 31 days."""
    made = deployed.runs["second"].after["subscriptions"]["github-events-dead-hold"]
    assert made["topic"] == f"projects/{PROJECT}/topics/github-events-dead"
    assert made["messageRetentionDuration"] == "2678400s"
    assert made["expirationPolicy"] == {}
    assert "pushEndpoint" not in made["pushConfig"]


def test_each_account_has_only_the_roles_that_it_needs(deployed):
    """Every role is on the narrowest resource, and there is no other binding."""
    assert bindings(deployed.runs["second"].after) == BINDINGS


def test_each_function_runs_and_is_built_as_its_own_account(deployed):
    """No function uses the project's default account, neither to run nor to build."""
    for name, function in deployed.runs["second"].after["functions"].items():
        assert function["serviceConfig"]["serviceAccountEmail"] == f"issuewire-{name}@{DOMAIN}"
        assert function["buildConfig"]["serviceAccount"].endswith(f"/issuewire-build@{DOMAIN}")
        assert function["buildConfig"]["runtime"] == "python313"


def test_slacks_token_is_mounted_as_a_file(deployed):
    """Slack's token is mounted as a file of its latest version, so that it rotates without a deployment."""
    config = deployed.runs["second"].after["functions"]["notify-slack"]["serviceConfig"]
    (volume,) = config["secretVolumes"]
    assert (volume["mountPath"], volume["secret"]) == ("/etc/issuewire", "slack-token")
    (version,) = volume["versions"]
    assert (version["path"].lstrip("/"), version["version"]) == ("slack-token", "latest")
    assert config["environmentVariables"]["SLACK_TOKEN_FILE"] == "/etc/issuewire/slack-token"
    assert "secretEnvironmentVariables" not in config


def test_table_and_views_exist(deployed):
    """The table and every view of sql/ exist after a deployment."""
    files = list((deployed.checkout / "sql").rglob("*.sql"))
    tables = deployed.runs["second"].after["tables"]
    assert set(tables) == {f"github.{file.stem}" for file in files}
    assert tables["github.events"]["timePartitioning"] == {"type": "DAY", "field": "event_at"}


def test_no_secret_is_shown(deployed, operated):
    """No output and no URL contains a secret or a token."""
    state = operated.runs["rotate"].after
    secrets = [
        base64.b64decode(version["payload"]).decode()
        for versions in state["versions"].values()
        for version in versions
    ]
    assert len(secrets) == 3
    tokens = [deployed.cloud.state.github.token, deployed.cloud.state.access_token]
    for rig in (deployed, operated):
        for run in rig.runs.values():
            assert [secret for secret in (*secrets, *tokens) if secret in run.out + run.err] == []
        for request in rig.cloud.requests:
            shown = f"{request.path} {request.query}"
            assert [secret for secret in (*secrets, *tokens) if secret in shown] == []


def test_there_was_no_unexpected_request(deployed, operated):
    """No tool connected to another host or used a call that the cloud does not have."""
    assert deployed.cloud.refused + operated.cloud.refused == []


def test_status_is_0_without_a_problem(operated):
    """The command status prints one line per resource, and exits with 0 if there is no problem."""
    run = operated.runs["status"]
    assert (run.status, run.requests.writes()) == (0, []), run.out
    assert {line.split()[0] for line in run.out.splitlines()} == {"ok"}
    tables = len(list((ROOT / "sql").rglob("*.sql")))
    # functions, subscriptions, dead letters, access, tables and views, webhook, Slack token, its channel
    assert len(run.out.splitlines()) == 3 + 3 + 1 + 3 + tables + 3
    assert re.search(r"^ok +webhook acme/app +active, issues, .* last answer 200$", run.out, re.MULTILINE)
    assert re.search(
        r"subscription notify-slack +-> \S+ +0 waiting, the oldest for 0 s$", run.out, re.MULTILINE
    )


def test_the_webhook_is_created_and_pinged(operated):
    """GitHub has one hook with our URL, JSON and the secret; its ping was answered by ingest."""
    run = operated.runs["webhook"]
    assert run.status == 0, run.err
    (hook,) = run.after["hooks"]["acme/app"].values()
    assert hook["config"]["url"] == f"{run.after['functions']['ingest']['serviceConfig']['uri']}/"
    assert hook["config"]["content_type"] == "json"
    assert hook["config"]["secret"].encode() == base64.b64decode(
        run.after["versions"]["github-webhook-secret"][0]["payload"]
    )
    assert sorted(hook["events"]) == ["issue_comment", "issues", "repository"]
    assert hook["last_response"]["code"] == 200


def test_alerts_are_created_once(operated):
    """Cloud Monitoring accepts the six policies; a second run updates them."""
    assert operated.runs["alerts"].status == operated.runs["alerts again"].status == 0
    made = operated.runs["alerts"].after["alerts"]
    assert len(made) == 6
    assert operated.runs["alerts again"].after["alerts"] == made


def test_a_rotation_leaves_one_secret(operated):
    """The hook has the new secret, the old version is disabled, and no new hook was made."""
    run = operated.runs["rotate"]
    assert run.status == 0, run.err
    versions = run.after["versions"]["github-webhook-secret"]
    assert [version["state"] for version in versions] == ["DISABLED", "ENABLED"]
    (hook,) = run.after["hooks"]["acme/app"].values()
    assert hook["config"]["secret"].encode() == base64.b64decode(versions[1]["payload"])
    patch, ping = first(run.requests, "PATCH", "/hooks/"), first(run.requests, "POST", "/pings$")
    assert (
        first(run.requests, "POST", ":addVersion$") < patch < ping < first(run.requests, "POST", ":disable$")
    )


def granted(run, name):
    """Return the roles of a function's account by resource."""
    found = {
        resource: {role for role, member in roles if member == name}
        for resource, roles in bindings(run.after).items()
    }
    return {resource: roles for resource, roles in found.items() if roles}


def test_reconcile_is_added_with_its_schedule(operated):
    """Account, least roles, key, packages, schedule and status follow from its table and its setting."""
    run = operated.runs["optional"]
    assert run.status == 0, run.err
    config = run.after["functions"]["reconcile"]["serviceConfig"]
    assert config["serviceAccountEmail"] == f"issuewire-reconcile@{DOMAIN}"
    variables = config["environmentVariables"]
    ingest = run.after["functions"]["ingest"]["serviceConfig"]["uri"]
    assert variables["INGEST_URL"].split(",")[0] == f"{ingest}/"
    assert variables["GITHUB_SOURCES"] == "acme/app"
    (volume,) = config["secretVolumes"]
    assert (volume["mountPath"], volume["secret"]) == ("/etc/issuewire", "github-app-key")
    ((name, job),) = run.after["scheduled"].items()
    assert name == f"projects/{PROJECT}/locations/us-central1/jobs/reconcile"
    assert (job["schedule"], job["httpTarget"]["uri"]) == ("7 * * * *", f"{config['uri']}/")
    assert job["httpTarget"]["oidcToken"] == {
        "serviceAccountEmail": f"issuewire-push@{DOMAIN}",
        "audience": config["uri"],
    }
    assert granted(run, "reconcile") == {
        "topics/github-events": {"roles/pubsub.publisher"},
        "subscriptions/github-events-dead-hold": {"roles/pubsub.subscriber"},
        "secrets/github-app-key": {"roles/secretmanager.secretAccessor"},
        "datasets/github/tables/events": {"roles/bigquery.dataViewer"},
        "datasets/github/tables/delivery_ledger": {"roles/bigquery.dataEditor"},
        "": {"roles/bigquery.jobUser"},
    }
    assert bindings(run.after)["locations/us-central1/services/reconcile"] == {("roles/run.invoker", "push")}
    with zipfile.ZipFile(BytesIO(operated.cloud.zips["reconcile"][0])) as archive:
        assert {"main.py", "plan.py", "clients/github/webhooks.py", "clients/bigquery.py"} <= set(
            archive.namelist()
        )
    status = operated.runs["status again"].out
    assert re.search(r"^ok +function reconcile +https://reconcile", status, re.MULTILINE)
    assert re.search(r"^ok +schedule reconcile +7 \* \* \* \*$", status, re.MULTILINE)


def test_triage_acts_with_the_stored_app_and_the_least_roles(operated):
    """One table, the App's key and its own subscription are all that it has; no setting names the App."""
    run = operated.runs["optional"]
    config = run.after["functions"]["triage"]["serviceConfig"]
    assert config["serviceAccountEmail"] == f"issuewire-triage@{DOMAIN}"
    assert (config["maxInstanceCount"], config["maxInstanceRequestConcurrency"]) == (1, 1)
    variables = config["environmentVariables"]
    assert (variables["TRIAGE_MODE"], variables["GITHUB_APP_ID"]) == ("act", "12345")
    (volume,) = config["secretVolumes"]
    assert (volume["mountPath"], volume["secret"]) == ("/etc/issuewire", "github-app-key")
    assert granted(run, "triage") == {
        "secrets/github-app-key": {"roles/secretmanager.secretAccessor"},
        "datasets/github/tables/triage_actions": {"roles/bigquery.dataEditor"},
    }
    made = {name: dict(one) for name, one in run.after["subscriptions"].items()}
    push = made["triage"].pop("pushConfig")
    assert push["pushEndpoint"] == f"{config['uri']}/"
    assert made["triage"]["ackDeadlineSeconds"] > config["timeoutSeconds"]
    # An event triggers for an hour, so it must not wait for longer than a part of that.
    assert made["triage"]["retryPolicy"] == {"minimumBackoff": "10s", "maximumBackoff": "60s"}
    alike = ("deadLetterPolicy", "expirationPolicy", "messageRetentionDuration", "topic")
    assert [made["triage"][key] for key in alike] == [made["stream-bq"][key] for key in alike]
    with zipfile.ZipFile(BytesIO(operated.cloud.zips["triage"][0])) as archive:
        assert {"main.py", "triage.toml", "team.toml"} <= set(archive.namelist())
    status = operated.runs["status again"].out
    assert re.search(r"^ok +function triage +https://triage", status, re.MULTILINE)
    assert re.search(r"^ok +subscription triage +-> https://triage", status, re.MULTILINE)


def test_a_rollback_serves_the_previous_revision(operated):
    """All traffic goes to the older revision, and status reports it, with the number of dead letters."""
    run = operated.runs["rollback"]
    assert run.status == 0, run.err
    (target,) = run.after["services"]["ingest"]["status"]["traffic"]
    assert (target["revisionName"][:12], target["percent"]) == ("ingest-00001", 100)
    status = operated.runs["status again"]
    assert status.status == 1
    bad = [line for line in status.out.splitlines() if line.startswith("BAD")]
    expected = [
        ("function ingest", f"rolled back to {target['revisionName']}"),
        ("function stream_bq", f"issuewire-push@{DOMAIN} may not call it (403); ./deploy.sh stream_bq"),
        ("subscription notify-slack", "7 messages wait, the oldest for 1000 s; see docs/operations.md"),
        ("dead letters", "3 messages"),
        ("webhook acme/app", "is not active; ./deploy.sh webhook acme/app"),
        (f"Slack channel {CHANNEL}", "refused with not_in_channel; see docs/operations.md"),
    ]
    assert len(bad) == len(expected), status.out
    for line, (what, problem) in zip(bad, expected, strict=True):
        assert (what in line, problem in line) == (True, True), line


def test_destroy_leaves_nothing(operated):
    """Functions, topics, alerts, accounts, roles, secrets and data are gone; the APIs stay enabled."""
    run = operated.runs["destroy"]
    assert run.status == 0, run.err
    left = {
        name
        for name, value in run.after.items()
        if value and name not in ("project", "number", "billing_enabled", "enabled")
    }
    assert left == {"hooks", "policies", "time_series"}
    assert bindings(run.after) == {}


def test_a_github_app_is_stored_by_the_browsers_way(operated):
    """The real gcloud stores key, id and webhook secret; the secret that was there stays enabled."""
    run = operated.runs["app"]
    assert run.status == 0, run.err
    assert run.after["secrets"]["github-app-key"]["labels"] == {"app": "issuewire", "github-app-id": "12345"}
    stored = {name: run.after["versions"][name] for name in ("github-app-key", "github-webhook-secret")}
    newest = {name: base64.b64decode(versions[-1]["payload"]).decode() for name, versions in stored.items()}
    assert newest == {"github-app-key": APP["pem"].strip(), "github-webhook-secret": APP["webhook_secret"]}
    enabled = [one for one in stored["github-webhook-secret"] if one["state"] == "ENABLED"]
    assert len(enabled) == 2
    assert [text for text in ("MIIE", APP["webhook_secret"], "noise") if text in run.out + run.err] == []
