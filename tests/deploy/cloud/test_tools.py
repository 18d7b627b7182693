"""The unmodified gcloud, bq and curl work against the stand-in; test_deployment.py runs the rest."""

import json

from tests.deploy.cloud.client import ALERTS, HOOKS, PROJECT, REGION, deploy, function_body, run_tool, send
from tests.deploy.cloud.run import add_revision, set_traffic


def test_gcloud_sends_the_traffic_back_to_the_newest_revision(ready):
    """Traffic that was pinned by a rollback follows the newest revision again."""
    deploy(ready, function_body(ready))
    add_revision(ready.state, REGION, "ingest", ready.state.functions["ingest"]["serviceConfig"])
    oldest, newest = (revision["metadata"]["name"] for revision in ready.state.revisions["ingest"])
    set_traffic(ready.state, "ingest", [{"revisionName": oldest, "percent": 100}])
    run_tool(ready, f"gcloud run services update-traffic ingest --region={REGION} --to-latest")
    (target,) = ready.state.services["ingest"]["status"]["traffic"]
    assert (target["revisionName"], target["latestRevision"]) == (newest, True)


def test_bq_fails_at_a_syntax_error(ready):
    """A wrong statement on stdin ends bq with an error, so that deploy.sh stops."""
    command = "bq --quiet query --use_legacy_sql=false"
    run_tool(ready, command, stdin="CREATE TABL github.x (a STRING)", fails="Syntax error")


def test_curl_creates_a_webhook_and_an_alert(ready, alert):
    """GitHub and Monitoring are reached with a token in the header and the body on stdin."""
    deploy(ready, function_body(ready))
    url = ready.state.functions["ingest"]["url"]
    config = {"url": url, "content_type": "json", "secret": "s"}
    hook = json.dumps({"name": "web", "events": ["issues"], "config": config})
    header = f"--header 'Authorization: Bearer {ready.state.github.token}'"
    curl = "curl --silent --show-error --fail-with-body --max-time 30 --data @-"
    created = json.loads(run_tool(ready, f"{curl} {header} {HOOKS}", stdin=hook))
    assert created["config"]["secret"] == "********"
    assert ready.state.github.hooks.by_place["acme/app"][created["id"]]["config"]["secret"] == "s"
    run_tool(ready, f"{curl} {header} {HOOKS}", stdin=hook, fails="Hook already exists")
    ready.state.ping_status = 200
    run_tool(ready, f"{curl} {header} {HOOKS}/{created['id']}/pings")
    delivered = json.loads(run_tool(ready, f"curl --silent {header} {HOOKS}/{created['id']}/deliveries"))
    assert [delivery["status_code"] for delivery in delivered] == [200, 403]
    token = f"--header 'Authorization: Bearer {ready.state.access_token}'"
    policy = json.loads(run_tool(ready, f"{curl} {token} {ALERTS}", stdin=json.dumps(alert())))
    assert ready.state.alerts[policy["name"]]["displayName"] == "Dead letters"


def test_other_hosts_are_refused_and_recorded(ready):
    """A request to another host, or without TLS, is answered with 403 and recorded for the test."""
    run_tool(ready, "curl --silent --show-error https://example.com/", fails="403")
    assert "403" in run_tool(ready, "curl --silent --write-out %{http_code} http://example.com/a")
    send(ready, "GET", f"https://pubsub.googleapis.com/v1/projects/{PROJECT}/snapshots")
    assert ready.refused == [
        "CONNECT example.com:443",
        "GET http://example.com/a",
        f"GET pubsub.googleapis.com/v1/projects/{PROJECT}/snapshots",
    ]
    ready.refused.clear()
