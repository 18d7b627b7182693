"""The stand-in for the cloud, driven by the real gcloud, bq and curl, and asked what it must refuse."""

import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.cloud.cloud import Cloud
from tests.deploy.cloud.messages import Answer
from tests.deploy.cloud.monitoring import series
from tests.deploy.cloud.state import members_of

ROOT = Path(__file__).parents[2]
PROJECT, REGION = "acme-issues", "us-central1"
DOMAIN = f"{PROJECT}.iam.gserviceaccount.com"
AGENT = "service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
APIS = ("artifactregistry", "cloudbuild", "cloudfunctions", "iam", "pubsub", "run", "secretmanager")
SECRETS = f"https://secretmanager.googleapis.com/v1/projects/{PROJECT}/secrets"
HOOKS = "https://api.github.com/repos/acme/app/hooks"
ALERTS = f"https://monitoring.googleapis.com/v3/projects/{PROJECT}/alertPolicies"


@pytest.fixture
def cloud(tmp_path):
    """Open a cloud; nothing may be refused for want of an answer, unless the test has looked at it."""
    _require("openssl")
    with Cloud(tmp_path / "cloud") as opened:
        yield opened
    assert opened.refused == []


@pytest.fixture
def ready(cloud):
    """Open a cloud with APIs, three accounts, a topic and a repository, as after a first set-up."""
    cloud.state.enabled |= {f"{name}.googleapis.com" for name in APIS}
    cloud.state.repositories.add("acme/app")
    for name in ("ingest-fn", "build-fn", "push-fn"):
        ask(
            cloud,
            "POST",
            f"https://iam.googleapis.com/v1/projects/{PROJECT}/serviceAccounts",
            {"accountId": name},
        )
    ask(cloud, "PUT", topic("github-events"), {})
    builder = {"role": "roles/cloudbuild.builds.builder", "members": [account("build-fn")]}
    policy = {"policy": {"bindings": [builder]}}
    ask(
        cloud,
        "POST",
        f"https://cloudresourcemanager.googleapis.com/v1/projects/{PROJECT}:setIamPolicy",
        policy,
    )
    cloud.requests.clear()
    return cloud


def account(name: str) -> str:
    """Name a service account as a member."""
    return f"serviceAccount:{name}@{DOMAIN}"


def topic(name: str) -> str:
    """Address a topic."""
    return f"https://pubsub.googleapis.com/v1/projects/{PROJECT}/topics/{name}"


def subscription(name: str) -> str:
    """Address a subscription."""
    return f"https://pubsub.googleapis.com/v1/projects/{PROJECT}/subscriptions/{name}"


def secret(name: str, rest: str = "") -> str:
    """Address a secret."""
    return f"{SECRETS}/{name}{rest}"


def ask(cloud: Cloud, method: str, url: str, body: Any = None, token: str = "") -> tuple[int, Any]:
    """Send one request through the proxy, signed in unless a token is given; return status and JSON."""
    environment = cloud.environment
    context = ssl.create_default_context(cafile=environment["CURL_CA_BUNDLE"])
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": environment["HTTPS_PROXY"]}),
        urllib.request.HTTPSHandler(context=context),
    )
    default = cloud.state.github_token if "//api.github.com/" in url else cloud.state.access_token
    request = urllib.request.Request(
        url,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {token or default}"},
        method=method,
    )
    try:
        with opener.open(request, timeout=30) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            content = error.read()
        return error.code, json.loads(content) if content.startswith(b"{") else content


def run(cloud: Cloud, command: str, *, stdin: str = "", fails: str = "") -> str:
    """Run one command as the deploy script does; with `fails` it must fail with these words."""
    words = shlex.split(command)
    _require(words[0])
    done = subprocess.run(
        words, env=cloud.environment, input=stdin, capture_output=True, text=True, timeout=180, check=False
    )
    said = re.sub(r"\s+", " ", done.stdout + done.stderr)
    assert (done.returncode != 0) == bool(fails), said
    assert fails in said
    return done.stdout


def _require(tool: str) -> None:
    if shutil.which(tool):
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{tool} is missing, and CI must run these tests")
    pytest.skip(f"{tool} is not installed")


def upload(cloud: Cloud, main: str = "def ingest(request): pass\n", **files: str) -> dict[str, Any]:
    """Upload a source and return where it lies."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("main.py", main)
        for name, text in {"requirements": "functions-framework\n", **files}.items():
            archive.writestr(f"{name}.txt" if name == "requirements" else f"{name}.py", text)
    place = {"bucket": "gcf-v2-uploads-test", "object": f"upload-{cloud.state.next_number()}.zip"}
    cloud.state.objects["/".join(place.values())] = content.getvalue()
    return {"storageSource": place}


def a_function(cloud: Cloud, source: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    """Make the body that creates the function ingest."""
    return {
        "buildConfig": {
            "runtime": config.pop("runtime", "python313"),
            "entryPoint": "ingest",
            "serviceAccount": f"projects/{PROJECT}/serviceAccounts/build-fn@{DOMAIN}",
            "source": source or upload(cloud),
        },
        "labels": config.pop("labels", {}),
        "serviceConfig": {"serviceAccountEmail": f"ingest-fn@{DOMAIN}"} | config,
    }


def deploy(cloud: Cloud, body: dict[str, Any]) -> tuple[int, str]:
    """Create the function ingest; return the status and the words of a refusal or of a failed operation."""
    place = f"https://cloudfunctions.googleapis.com/v2/projects/{PROJECT}/locations/{REGION}/functions"
    status, answer = ask(cloud, "POST", f"{place}?functionId=ingest", body)
    return status, answer.get("error", {}).get("message", "")


def test_gcloud_asks_who_and_where_and_enables_apis(cloud):
    """The preflight's questions and the enabling of APIs go through; only an enabled API answers."""
    assert run(cloud, "gcloud auth print-access-token").strip() == cloud.state.access_token
    signed_in = run(cloud, "gcloud auth list --filter=status:ACTIVE --format=value(account)")
    assert signed_in.strip() == "deployer@example.com"
    assert run(cloud, "gcloud config get project").strip() == PROJECT
    number = run(cloud, f"gcloud projects describe {PROJECT} --format=value(projectNumber)")
    assert number.strip() == cloud.state.number
    billing = run(cloud, f"gcloud billing projects describe {PROJECT} --format=value(billingEnabled)")
    assert billing.strip() == "True"
    assert ask(cloud, "GET", "https://cloudresourcemanager.googleapis.com/v1/projects/another")[0] == 403
    run(cloud, "gcloud pubsub topics list", fails="SERVICE_DISABLED")
    run(cloud, "gcloud services enable pubsub.googleapis.com run.googleapis.com")
    enabled = run(cloud, "gcloud services list --enabled --format=value(config.name)").split()
    assert {"pubsub.googleapis.com", "run.googleapis.com", "iam.googleapis.com"} <= set(enabled)
    assert "secretmanager.googleapis.com" not in enabled


def test_gcloud_manages_topics_and_subscriptions(ready):
    """Topics and subscriptions can be created once, changed, read back, pulled from and deleted."""
    run(ready, "gcloud pubsub topics create github-events-dead --message-retention-duration=7d")
    run(ready, "gcloud pubsub topics create github-events", fails="already exists")
    run(ready, "gcloud pubsub topics update github-events --message-retention-duration=3d")
    assert ready.state.topics["github-events"]["messageRetentionDuration"] == "259200s"
    run(
        ready,
        "gcloud pubsub subscriptions create stream-bq --topic=github-events --ack-deadline=90"
        " --dead-letter-topic=github-events-dead --max-delivery-attempts=100 --min-retry-delay=10s"
        " --max-retry-delay=600s --expiration-period=never --message-retention-duration=7d",
    )
    ask(ready, "POST", f"{topic('github-events')}:publish", {"messages": [{"data": "aGVsbG8="}]})
    pulled = run(ready, "gcloud pubsub subscriptions pull stream-bq --auto-ack --format=value(message.data)")
    assert pulled.strip() == "hello"
    assert ready.state.backlog["stream-bq"] == []
    run(
        ready,
        "gcloud pubsub subscriptions update stream-bq --push-endpoint=https://stream-bq.a.run.app/"
        f" --push-auth-service-account=push-fn@{DOMAIN}"
        " --push-auth-token-audience=https://stream-bq.a.run.app",
    )
    made = json.loads(run(ready, "gcloud pubsub subscriptions describe stream-bq --format=json"))
    assert made["pushConfig"]["oidcToken"]["serviceAccountEmail"] == f"push-fn@{DOMAIN}"
    assert made["expirationPolicy"] == {}
    assert made["deadLetterPolicy"] == {
        "deadLetterTopic": f"projects/{PROJECT}/topics/github-events-dead",
        "maxDeliveryAttempts": 100,
    }
    binding = f"--member=serviceAccount:{AGENT} --role=roles/pubsub.subscriber"
    run(ready, f"gcloud pubsub subscriptions add-iam-policy-binding stream-bq {binding}")
    policy = ready.state.policies[f"projects/{PROJECT}/subscriptions/stream-bq"]
    assert members_of(policy, "roles/pubsub.subscriber") == {f"serviceAccount:{AGENT}"}
    run(ready, "gcloud pubsub subscriptions delete stream-bq")
    assert run(ready, "gcloud pubsub subscriptions list --format=value(name)") == ""


def test_gcloud_manages_secrets_accounts_and_bindings(ready):
    """Secrets take versions from standard input byte for byte; bindings are for accounts that exist."""
    run(ready, "gcloud secrets create github-webhook-secret --replication-policy=automatic")
    run(ready, "gcloud secrets versions add github-webhook-secret --data-file=-", stdin="one")
    ask(ready, "POST", secret("github-webhook-secret", ":addVersion"), {"payload": {"data": "dHdv"}})
    assert run(ready, "gcloud secrets versions access latest --secret=github-webhook-secret") == "two"
    run(ready, "gcloud secrets versions disable 1 --secret=github-webhook-secret")
    enabled = "gcloud secrets versions list github-webhook-secret --filter=state=ENABLED --format=value(name)"
    assert run(ready, enabled).split() == ["2"]
    assert ask(ready, "POST", secret("slack-token", ":addVersion"), {"payload": {"data": "eA=="}})[0] == 404
    assert run(ready, "gcloud secrets list --format=value(name.basename())").split() == [
        "github-webhook-secret"
    ]
    run(ready, "gcloud iam service-accounts create stream-fn --display-name=Rows")
    command = "gcloud secrets add-iam-policy-binding github-webhook-secret"
    run(ready, f"{command} --member={account('stream-fn')} --role=roles/secretmanager.secretAccessor")
    run(
        ready,
        f"{command} --member={account('nobody')} --role=roles/secretmanager.secretAccessor",
        fails=f"Service account nobody@{DOMAIN} does not exist.",
    )
    command = f"gcloud iam service-accounts add-iam-policy-binding push-fn@{DOMAIN}"
    run(ready, f"{command} --member=serviceAccount:{AGENT} --role=roles/iam.serviceAccountTokenCreator")
    command = f"gcloud projects add-iam-policy-binding {PROJECT} --condition=None"
    run(ready, f"{command} --member={account('stream-fn')} --role=roles/bigquery.jobUser")
    project = ready.state.policies[f"projects/{PROJECT}"]
    assert members_of(project, "roles/bigquery.jobUser") == {account("stream-fn")}
    assert members_of(project, "roles/cloudbuild.builds.builder") == {account("build-fn")}
    run(ready, f"gcloud iam service-accounts delete stream-fn@{DOMAIN}")
    left = members_of(project, "roles/bigquery.jobUser")
    assert [member.partition("?")[0] for member in left] == [f"deleted:{account('stream-fn')}"]


def test_gcloud_deploys_serves_rolls_back_and_deletes_a_function(ready, tmp_path):
    """A function becomes a service with a revision for each deployment; traffic can be pinned and freed."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "requirements.txt").write_text("functions-framework\n")
    (source / "main.py").write_text("def ingest(request): pass\n")
    ask(ready, "POST", f"{SECRETS}?secretId=token", {"replication": {"automatic": {}}})
    reader = {"role": "roles/secretmanager.secretAccessor", "members": [account("ingest-fn")]}
    ask(ready, "POST", secret("token", ":setIamPolicy"), {"policy": {"bindings": [reader]}})
    command = (
        f"gcloud functions deploy ingest --gen2 --region={REGION} --runtime=python313 --source={source}"
        " --entry-point=ingest --trigger-http --allow-unauthenticated --ingress-settings=all --format=none"
        f" --service-account=ingest-fn@{DOMAIN} --cpu=1 --memory=512Mi --concurrency=40 --max-instances=5"
        f" --build-service-account=projects/{PROJECT}/serviceAccounts/build-fn@{DOMAIN} --timeout=30s"
        " --set-env-vars=^@^A=1,2@B=x --set-secrets=/etc/x/token=token:latest --update-labels=source-sha="
    )
    ask(ready, "POST", secret("token", ":addVersion"), {"payload": {"data": "eA=="}})
    run(ready, command + "two")
    with zipfile.ZipFile(BytesIO(ready.zips["ingest"][0])) as archive:
        assert set(archive.namelist()) == {"main.py", "requirements.txt"}
    function = ready.state.functions["ingest"]
    assert function["serviceConfig"]["environmentVariables"]["A"] == "1,2"
    assert (function["state"], function["labels"]["source-sha"]) == ("ACTIVE", "two")
    listed = f"gcloud functions list --v2 --regions={REGION} --format=value(name.basename(),state)"
    assert run(ready, listed).split() == ["ingest", "ACTIVE"]
    describe = f"gcloud functions describe ingest --gen2 --region={REGION} --format=value(serviceConfig.uri)"
    url = run(ready, describe).strip()
    assert run(ready, f"curl --silent --write-out %{{http_code}} {url}") == "405"
    assert run(ready, f"curl --silent --write-out %{{http_code}} {function['url']}") == "405"

    ready.faults.fail_build("ingest", "Build failed: injected")
    run(ready, command + "three", fails="injected")
    assert ready.state.functions["ingest"]["state"] == "FAILED"
    assert len(ready.state.revisions["ingest"]) == 1
    run(ready, command + "four")
    newest = f"gcloud run revisions list --service=ingest --region={REGION} --format=value(metadata.name)"
    names = run(ready, f"{newest} --sort-by=~metadata.creationTimestamp").split()
    assert [name[:12] for name in names] == ["ingest-00002", "ingest-00001"]
    run(ready, f"gcloud run services update-traffic ingest --region={REGION} --to-revisions={names[1]}=100")
    pinned = {"revisionName": names[1], "percent": 100}
    assert ready.state.services["ingest"]["status"]["traffic"] == [pinned]
    run(ready, f"gcloud run services update-traffic ingest --region={REGION} --to-latest")
    served = f"gcloud run services describe ingest --region={REGION}"
    assert run(ready, f"{served} --format=value(status.traffic[0].revisionName)").strip() == names[0]
    binding = f"--member={account('push-fn')} --role=roles/run.invoker"
    run(ready, f"gcloud run services add-iam-policy-binding ingest --region={REGION} {binding}")
    policy = json.loads(
        run(ready, f"gcloud run services get-iam-policy ingest --region={REGION} --format=json")
    )
    assert members_of(policy, "roles/run.invoker") == {"allUsers", account("push-fn")}
    run(ready, f"gcloud functions delete ingest --gen2 --region={REGION}")
    assert (ready.state.functions, ready.state.services, ready.state.revisions) == ({}, {}, {})


def test_bq_applies_the_real_schema_twice(ready):
    """The project's own DDL becomes a dataset, a table and views, and changes nothing the second time."""
    files = [ROOT / "sql" / "events.sql", *sorted((ROOT / "sql" / "views").glob("*.sql"))]
    script = "\n".join(file.read_text() for file in files).replace("${DATASET}", "github")
    command = "bq --location=EU --quiet query --use_legacy_sql=false"
    run(ready, command, stdin=script)
    before = ready.snapshot()
    run(ready, command, stdin=script)
    assert ready.snapshot() == before
    assert ready.state.datasets["github"]["location"] == "EU"
    table = json.loads(run(ready, "bq show --format=json github.events"))
    columns = {field["name"]: (field["type"], field["mode"]) for field in table["schema"]["fields"]}
    assert columns["delivery_id"] == ("STRING", "REQUIRED")
    assert columns["issue_labels"] == ("STRING", "REPEATED")
    assert columns["is_pull_request"] == ("BOOLEAN", "NULLABLE")
    assert table["timePartitioning"] == {"type": "DAY", "field": "event_at"}
    assert table["clustering"] == {"fields": ["repository", "issue_number"]}
    listed = json.loads(run(ready, "bq --quiet ls --max_results=1000 --format=json github"))
    kinds = {one["tableReference"]["tableId"]: one["type"] for one in listed}
    assert kinds == {"events": "TABLE"} | {file.stem: "VIEW" for file in files[1:]}
    run(ready, command, stdin="CREATE TABL github.x (a STRING)", fails="Syntax error")
    binding = f"--member={account('ingest-fn')} --role=roles/bigquery.dataEditor"
    run(ready, f"bq add-iam-policy-binding {binding} {PROJECT}:github.events")
    policy = ready.state.policies[f"projects/{PROJECT}/datasets/github/tables/events"]
    assert members_of(policy, "roles/bigquery.dataEditor") == {account("ingest-fn")}
    ready.state.query_results.append((r"COUNT\(\*\)", [{"n": 3}]))
    question = "SELECT COUNT(*) AS n FROM github.events"
    assert run(ready, f"bq --quiet query --use_legacy_sql=false --format=csv '{question}'").split() == [
        "n",
        "3",
    ]
    run(ready, "bq rm -r -f github")
    assert (ready.state.datasets, ready.state.tables) == ({}, {})


def test_curl_makes_a_webhook_and_alerts(ready):
    """GitHub and Monitoring are reached by curl, with a token in the header and the body on stdin."""
    deploy(ready, a_function(ready))
    url = ready.state.functions["ingest"]["url"]
    hook = {
        "name": "web",
        "events": ["issues"],
        "config": {"url": url, "content_type": "json", "secret": "s"},
    }
    header = f"--header 'Authorization: Bearer {ready.state.github_token}'"
    curl = "curl --silent --show-error --fail-with-body --max-time 30 --data @-"
    made = json.loads(run(ready, f"{curl} {header} {HOOKS}", stdin=json.dumps(hook)))
    assert made["config"]["secret"] == "********"
    assert ready.state.hooks["acme/app"][made["id"]]["config"]["secret"] == "s"
    run(ready, f"{curl} {header} {HOOKS}", stdin=json.dumps(hook), fails="Hook already exists")
    ready.state.ping_status = 200
    run(ready, f"{curl} {header} {HOOKS}/{made['id']}/pings")
    delivered = json.loads(run(ready, f"curl --silent {header} {HOOKS}/{made['id']}/deliveries"))
    assert [delivery["status_code"] for delivery in delivered] == [200, 403]
    policy = json.dumps(an_alert())
    token = f"--header 'Authorization: Bearer {ready.state.access_token}'"
    alert = json.loads(run(ready, f"{curl} {token} {ALERTS}", stdin=policy))
    assert ready.state.alerts[alert["name"]]["displayName"] == "Dead letters"


def test_faults_hit_once_and_are_used_up(ready):
    """A scripted answer and an IAM that lags behind reach the client as errors, then all is well."""
    ready.faults.inject("GET", "pubsub.googleapis.com", "/topics$", 403)
    run(ready, "gcloud pubsub topics list", fails="injected fault 403")
    assert ready.faults.unused == []
    ready.faults.delay_iam(f"push-fn@{DOMAIN}", 1)
    command = "gcloud pubsub topics add-iam-policy-binding github-events"
    binding = f"--member={account('push-fn')} --role=roles/pubsub.publisher"
    run(ready, f"{command} {binding}", fails=f"Service account push-fn@{DOMAIN} does not exist.")
    run(ready, f"{command} {binding}")
    lines = ready.requests.of(path="setIamPolicy").lines()
    assert (
        lines == [f"POST pubsub.googleapis.com/v1/projects/{PROJECT}/topics/github-events:setIamPolicy"] * 2
    )


def test_other_hosts_are_refused_and_told(ready):
    """Whoever leaves the list of hosts or speaks in the clear gets 403, and the test hears of it."""
    run(ready, "curl --silent --show-error https://example.com/", fails="403")
    assert "403" in run(ready, "curl --silent --write-out %{http_code} http://example.com/a")
    ask(ready, "GET", f"https://pubsub.googleapis.com/v1/projects/{PROJECT}/snapshots")
    assert ready.refused == [
        "CONNECT example.com:443",
        "GET http://example.com/a",
        f"GET pubsub.googleapis.com/v1/projects/{PROJECT}/snapshots",
    ]
    ready.refused.clear()


def an_alert(**changes: Any) -> dict[str, Any]:
    """Make an alert policy."""
    condition = {
        "filter": 'metric.type = "pubsub.googleapis.com/subscription/num_undelivered_messages"'
        ' AND resource.type = "pubsub_subscription"',
        "comparison": "COMPARISON_GT",
        "duration": "60s",
        "aggregations": [{"alignmentPeriod": "60s", "perSeriesAligner": "ALIGN_MAX"}],
    }
    named = {"displayName": "more than none", "conditionThreshold": condition | changes}
    return {"displayName": "Dead letters", "combiner": "OR", "conditions": [named]}


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 200),
        ({"ackDeadlineSeconds": 9}, 400),
        ({"ackDeadlineSeconds": 601}, 400),
        ({"topic": f"projects/{PROJECT}/topics/missing"}, 404),
        ({"deadLetterPolicy": {"deadLetterTopic": f"projects/{PROJECT}/topics/missing"}}, 404),
        ({"deadLetterPolicy": {"deadLetterTopic": "EVENTS", "maxDeliveryAttempts": 5}}, 200),
        ({"deadLetterPolicy": {"deadLetterTopic": "EVENTS", "maxDeliveryAttempts": 4}}, 400),
        ({"deadLetterPolicy": {"deadLetterTopic": "EVENTS", "maxDeliveryAttempts": 101}}, 400),
        ({"pushConfig": {"pushEndpoint": "http://notify-slack.a.run.app/"}}, 400),
        (
            {
                "pushConfig": {
                    "pushEndpoint": "https://x.app/",
                    "oidcToken": {"serviceAccountEmail": "no@x.y"},
                }
            },
            400,
        ),
        ({"retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "601s"}}, 400),
        ({"messageRetentionDuration": "300s"}, 400),
        ({"expirationPolicy": {"ttl": "3600s"}}, 400),
    ],
)
def test_a_subscription_outside_pubsubs_limits_is_refused(ready, settings, status):
    """Deadlines, attempts, backoff, retention and push endpoints have Pub/Sub's own limits."""
    events = f"projects/{PROJECT}/topics/github-events"
    body = json.loads(json.dumps({"topic": events} | settings).replace('"EVENTS"', f'"{events}"'))
    assert ask(ready, "PUT", subscription("notify-slack"), body)[0] == status
    assert ("notify-slack" in ready.state.subscriptions) == (status == 200)


@pytest.mark.parametrize(
    ("url", "role", "member", "status"),
    [
        (topic("github-events"), "roles/pubsub.publisher", account("ingest-fn"), 200),
        (topic("github-events"), "roles/pubsub.publisher", account("nobody"), 400),
        (topic("github-events"), "roles/pubsub.publsher", account("ingest-fn"), 400),
        (topic("github-events"), "roles/secretmanager.secretAccessor", account("ingest-fn"), 400),
        (topic("github-events"), "roles/pubsub.publisher", "ingest-fn", 400),
        (topic("missing"), "roles/pubsub.publisher", account("ingest-fn"), 404),
        (subscription("missing"), "roles/pubsub.subscriber", account("ingest-fn"), 404),
        (secret("missing"), "roles/secretmanager.secretAccessor", account("ingest-fn"), 404),
    ],
)
def test_a_binding_needs_its_resource_its_role_and_its_member(ready, url, role, member, status):
    """A role is given on a resource that exists and takes it, to a member that exists."""
    body = {"policy": {"bindings": [{"role": role, "members": [member]}]}}
    assert ask(ready, "POST", f"{url}:setIamPolicy", body)[0] == status


def test_a_stale_etag_is_a_conflict(ready):
    """Of two writers who have read the same policy, the second is refused."""
    _, policy = ask(ready, "GET", f"{topic('github-events')}:getIamPolicy")
    binding = {"role": "roles/pubsub.publisher", "members": [account("ingest-fn")]}
    body = {"policy": policy | {"bindings": [binding]}}
    assert ask(ready, "POST", f"{topic('github-events')}:setIamPolicy", body)[0] == 200
    status, answer = ask(ready, "POST", f"{topic('github-events')}:setIamPolicy", body)
    assert (status, answer["error"]["status"]) == (409, "ABORTED")


@pytest.mark.parametrize(
    ("config", "status", "words"),
    [
        ({}, 200, ""),
        ({"runtime": "python39"}, 400, "Invalid runtime"),
        (
            {"availableCpu": ".5", "availableMemory": "512Mi", "maxInstanceRequestConcurrency": 8},
            400,
            "cpu < 1",
        ),
        ({"availableMemory": "512Mi", "maxInstanceRequestConcurrency": 8}, 400, "cpu < 1"),
        ({"availableCpu": "0.333", "availableMemory": "1Gi"}, 400, "needs cpu >= 0.5"),
        ({"maxInstanceCount": 1, "minInstanceCount": 2}, 400, "max instances"),
        ({"labels": {"source-sha": "a" * 64}}, 400, "Invalid label"),
        ({"environmentVariables": {"PORT": "1"}}, 400, "Invalid environment variable"),
        ({"serviceAccountEmail": f"nobody@{DOMAIN}"}, 400, "does not exist"),
        ({"secretVolumes": [{"secret": "no", "versions": [{"version": "latest"}]}]}, 200, "was not found"),
        (
            {"secretEnvironmentVariables": [{"key": "A", "secret": "no", "version": "1"}]},
            200,
            "was not found",
        ),
    ],
)
def test_a_function_outside_the_limits_is_not_deployed(ready, config, status, words):
    """Runtime, size, labels, variables, account and secrets are checked as the real deployment would."""
    answered, said = deploy(ready, a_function(ready, **config))
    assert answered == status
    assert words in said
    assert bool(ready.zips["ingest"]) == (not words)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"main": "def other(request): pass\n"}, "a function named 'ingest'"),
        ({"row": "def broken(:\n"}, "Error compiling './row.py'"),
        ({"requirements": "flask==3.1 --hash=sha256:00\n"}, "--require-hashes"),
        ({"requirements": "functions-framework==3 \\\n  --hash=sha256:00\nflask==3.1\n"}, "--require-hashes"),
    ],
)
def test_a_source_that_cannot_start_fails_the_build(ready, files, words):
    """What the buildpack would refuse in the zip fails the deployment's operation."""
    assert words in deploy(ready, a_function(ready, upload(ready, **files)))[1]


def test_a_builder_without_roles_fails_the_build(ready):
    """An own build account needs the builder's role in the project, or the three it is made of."""
    ready.state.policies.clear()
    assert (
        "lacks roles/logging.logWriter, roles/artifactregistry.writer" in deploy(ready, a_function(ready))[1]
    )


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("CREATE TABLE missing.t (a STRING)", "notFound"),
        ("CREATE TABLE d.t (a STRING)", "duplicate"),
        ("CREATE SCHEMA d", "duplicate"),
        ("CREATE SCHEMA e OPTIONS (location = 'EU')", "invalid"),
        ("CREATE TABLE d.u (a STRING) PARTITION BY DATE(b)", "invalidQuery"),
        ("CREATE TABLE d.u (a STRING, A INT64)", "invalidQuery"),
        ("CREATE VIEW d.v AS SELECT a FROM d.missing", "notFound"),
        ("CREATE OR REPLACE VIEW d.t AS SELECT 1 AS a", "invalidQuery"),
        ("ALTER TABLE d.t ADD COLUMN a STRING", "invalidQuery"),
        ("ALTER TABLE d.t ADD COLUMN b STRING NOT NULL", "invalidQuery"),
        ("CREATE VIEW v AS SELECT 1 AS a", "invalid"),
        ("SELECT a FROM other.d.t", "accessDenied"),
        ("SELECT FROM WHERE", "invalidQuery"),
        ("GRANT NOTHING TO NOBODY", "invalidQuery"),
    ],
)
def test_ddl_that_bigquery_would_refuse_is_refused(ready, script, reason):
    """A statement meets the tables as they are, and a refusal carries the reason that bq reads."""
    assert query(ready, "CREATE SCHEMA d; CREATE TABLE d.t (a STRING)") == (200, "")
    before = ready.snapshot()
    status, found = query(ready, script)
    assert (status != 200, found) == (True, reason)
    assert ready.snapshot() == before


def test_a_script_adds_columns_once_and_stops_at_its_first_failure(ready):
    """Statements before a failure stay done, those after it are not carried out."""
    script = """
        CREATE SCHEMA IF NOT EXISTS d OPTIONS (location = "EU");
        CREATE TABLE IF NOT EXISTS d.t (a STRING NOT NULL);
        ALTER TABLE d.t ADD COLUMN IF NOT EXISTS b ARRAY<STRUCT<c INT64>>, ADD COLUMN IF NOT EXISTS a INT64;
        CREATE VIEW d.v AS WITH w AS (SELECT x.c FROM d.t, d.t.b AS x) SELECT c FROM w;
        CREATE TABLE d.t (a STRING);
        CREATE TABLE d.never (a STRING);
    """
    assert query(ready, script, location="EU") == (200, "duplicate")
    assert set(ready.state.tables) == {"d.t", "d.v"}
    inner = [{"name": "c", "type": "INTEGER", "mode": "NULLABLE"}]
    assert ready.state.tables["d.t"]["schema"]["fields"] == [
        {"name": "a", "type": "STRING", "mode": "REQUIRED"},
        {"name": "b", "type": "RECORD", "mode": "REPEATED", "fields": inner},
    ]
    assert query(ready, "SELECT 1 FROM d.t", location="US") == (404, "notFound")


def query(cloud: Cloud, script: str, **place: str) -> tuple[int, str]:
    """Run a script; return the status and the reason of a refusal or of a failed job."""
    settings = {"query": {"query": script, "useLegacySql": False}}
    url = f"https://bigquery.googleapis.com/bigquery/v2/projects/{PROJECT}/jobs"
    status, answer = ask(cloud, "POST", url, {"configuration": settings, "jobReference": place})
    if "error" in answer:
        return status, answer["error"]["errors"][0]["reason"]
    return status, answer["status"].get("errorResult", {}).get("reason", "")


def test_alerts_are_paged_changed_and_checked(ready):
    """Policies come in pages, may share a name, and need filters that name resource and metric."""
    names = [ask(ready, "POST", ALERTS, an_alert())[1]["name"] for _ in range(3)]
    _, first = ask(ready, "GET", f"{ALERTS}?pageSize=2")
    _, second = ask(ready, "GET", f"{ALERTS}?pageSize=2&pageToken={first['nextPageToken']}")
    assert [a["name"] for a in first["alertPolicies"] + second["alertPolicies"]] == names
    assert "nextPageToken" not in second
    changed = an_alert(duration="120s") | {"displayName": "Other"}
    assert ask(ready, "PATCH", f"https://monitoring.googleapis.com/v3/{names[0]}", changed)[0] == 200
    assert ready.state.alerts[names[0]]["displayName"] == "Other"
    assert ask(ready, "DELETE", f"https://monitoring.googleapis.com/v3/{names[0]}")[0] == 200
    assert ask(ready, "GET", f"https://monitoring.googleapis.com/v3/{names[0]}")[0] == 404
    wrong = ({"filter": ""}, {"filter": 'metric.type = "x"'}, {"duration": "90s"}, {"comparison": "MORE"})
    assert [ask(ready, "POST", ALERTS, an_alert(**change))[0] for change in wrong] == [400] * 4
    assert list(ready.state.alerts) == names[1:]


def test_time_series_are_those_that_a_test_has_set(ready):
    """The depth of the dead-letter subscription is whatever the test says, for the filter that names it."""
    metric = "pubsub.googleapis.com/subscription/num_undelivered_messages"
    hold = {"subscription_id": "github-events-dead-hold"}
    ready.state.time_series = [series(metric, "pubsub_subscription", hold, 7)]
    url = f"https://monitoring.googleapis.com/v3/projects/{PROJECT}/timeSeries"
    times = "interval.startTime=2026-01-01T00:00:00Z&interval.endTime=2026-01-01T00:05:00Z"
    named = f"filter=metric.type%3D%22{metric}%22%20AND%20resource.labels.subscription_id%3D%22"
    _, found = ask(ready, "GET", f"{url}?{times}&{named}github-events-dead-hold%22")
    assert found["timeSeries"][0]["points"][0]["value"] == {"int64Value": "7"}
    assert "timeSeries" not in ask(ready, "GET", f"{url}?{times}&{named}stream-bq%22")[1]
    assert ask(ready, "GET", f"{url}?{named}stream-bq%22")[0] == 400


def test_github_answers_as_github_does(ready):
    """Bad token 401, unknown place 404, no URL 422; an update without the secret removes it."""
    assert ask(ready, "GET", HOOKS, token="wrong")[0] == 401
    assert ask(ready, "GET", "https://api.github.com/repos/acme/other/hooks")[0] == 404
    assert ask(ready, "GET", "https://api.github.com/orgs/acme/hooks")[0] == 404
    ready.state.organizations.add("acme")
    assert ask(ready, "GET", "https://api.github.com/orgs/acme/hooks") == (200, [])
    assert ask(ready, "POST", HOOKS, {"config": {}})[0] == 422
    config = {"url": "https://ingest.a.run.app/", "secret": "s", "content_type": "json"}
    _, hook = ask(ready, "POST", HOOKS, {"config": config, "events": ["issues"]})
    assert (
        ask(ready, "POST", "https://api.github.com/orgs/acme/hooks", {"config": config, "name": "web"})[0]
        == 201
    )
    assert (
        ask(ready, "PATCH", f"{HOOKS}/{hook['id']}/config", {"insecure_ssl": "0"})[1]["secret"] == "********"
    )
    _, changed = ask(ready, "PATCH", f"{HOOKS}/{hook['id']}", {"config": {"url": config["url"]}})
    assert changed["config"] == {"url": config["url"], "content_type": "form", "insecure_ssl": "0"}
    _, (delivery,) = ask(ready, "GET", f"{HOOKS}/{hook['id']}/deliveries")
    assert (delivery["event"], delivery["status_code"]) == ("ping", 404)
    assert ask(ready, "POST", f"{HOOKS}/{hook['id']}/deliveries/{delivery['id']}/attempts")[0] == 202
    assert [d["guid"] for d in ready.state.deliveries[hook["id"]]] == [delivery["guid"]] * 2
    assert ask(ready, "DELETE", f"{HOOKS}/{hook['id']}")[0] == 204
    assert ready.state.hooks["acme/app"] == {}


def test_a_ping_tells_whether_ingest_is_there_public_and_of_one_secret(ready):
    """Unless a test sets its status, a ping fares as it would: 404, 403, 401, then 200."""
    deploy(ready, a_function(ready, environmentVariables={"WEBHOOK_SECRET": f"projects/{PROJECT}/secrets/s"}))
    url = ready.state.functions["ingest"]["serviceConfig"]["uri"]
    config = {"url": "https://ingest-wrong.a.run.app", "secret": "x"}
    _, hook = ask(ready, "POST", HOOKS, {"config": config})
    ask(ready, "PATCH", f"{HOOKS}/{hook['id']}", {"config": config | {"url": url}})
    ask(ready, "POST", f"{HOOKS}/{hook['id']}/pings")
    service = f"https://run.googleapis.com/v1/projects/{PROJECT}/locations/{REGION}/services/ingest"
    policy = {"policy": {"bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]}}
    ask(ready, "POST", f"{service}:setIamPolicy", policy)
    ask(ready, "POST", f"{HOOKS}/{hook['id']}/pings")
    ask(ready, "POST", f"{SECRETS}?secretId=s", {"replication": {"automatic": {}}})
    ask(ready, "POST", secret("s", ":addVersion"), {"payload": {"data": "eA=="}})
    ask(ready, "POST", f"{HOOKS}/{hook['id']}/pings")
    assert [d["status_code"] for d in ready.state.deliveries[hook["id"]]] == [200, 401, 403, 404]


def test_accounts_and_secrets_are_made_once(ready):
    """What exists is a conflict, and an account's name has six characters at least."""
    accounts = f"https://iam.googleapis.com/v1/projects/{PROJECT}/serviceAccounts"
    assert ask(ready, "POST", accounts, {"accountId": "ingest-fn"})[0] == 409
    assert ask(ready, "POST", accounts, {"accountId": "short"})[0] == 400
    made = [ask(ready, "POST", f"{SECRETS}?secretId=s", {"replication": {"automatic": {}}}) for _ in range(2)]
    assert [status for status, _ in made] == [200, 409]
    assert ask(ready, "POST", secret("s", ":addVersion"), {"payload": {"data": ""}})[0] == 400


def test_a_delivery_may_come_late(ready):
    """A list of deliveries shows the newest one only after as many lists as the test says."""
    _, hook = ask(ready, "POST", HOOKS, {"config": {"url": "https://ingest.a.run.app/"}})
    ready.state.late_deliveries = 2
    seen = [ask(ready, "GET", f"{HOOKS}/{hook['id']}/deliveries")[1] for _ in range(3)]
    assert [len(deliveries) for deliveries in seen] == [0, 0, 1]


def test_a_wrong_token_is_refused(ready):
    """Google's APIs want the access token that gcloud was given."""
    assert ask(ready, "GET", topic("github-events"), token="stale")[0] == 401


def test_a_snapshot_forgets_times_and_keeps_meaning(ready):
    """Two snapshots are equal exactly when nothing but times, etags and uploads has changed."""
    deploy(ready, a_function(ready))
    before = ready.snapshot()
    assert before["functions"]["ingest"]["buildConfig"]["runtime"] == "python313"
    function = ready.state.functions["ingest"]
    function["updateTime"] = function["buildConfig"]["source"]["storageSource"]["object"] = "another"
    assert ready.snapshot() == before
    ask(ready, "PATCH", topic("github-events"), {"topic": {"labels": {"a": "b"}}, "updateMask": "labels"})
    assert ready.snapshot() != before


def test_a_crash_of_the_stand_in_is_told(ready, monkeypatch):
    """A bug in the stand-in ends up in the list that every test looks at, and the client gets an answer."""
    monkeypatch.setattr(ready.state, "topics", None)
    assert ask(ready, "GET", topic("github-events"))[0] == 400
    assert ready.refused.pop().startswith("crash at GET pubsub.googleapis.com")


def test_an_answer_that_is_bytes_goes_out_as_it_is(ready):
    """A scripted body may be anything, not only JSON."""
    ready.faults.inject("GET", "pubsub.googleapis.com", "topics", 502, b"<html>")
    assert ask(ready, "GET", topic("github-events")) == (502, b"<html>")
    assert Answer(body=b"x").content == b"x"


def test_missing_tools_skip_at_home_and_fail_in_ci(monkeypatch):
    """Without gcloud these tests are skipped with the reason, but CI may not pass without them."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="gcloud is not installed"):
        _require("gcloud")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must run these tests"):
        _require("gcloud")
