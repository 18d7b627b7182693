"""GitHub's webhooks in the stand-in: hooks, pings and deliveries."""

from tests.deploy.cloud.client import (
    HOOKS,
    PROJECT,
    REPLICATION,
    SECRETS,
    SERVICE,
    binding,
    deploy,
    function_body,
    secret,
    send,
)


def test_errors_have_githubs_statuses(ready):
    """A bad token is 401, an unknown repository 404, no URL 422; an update without secret removes it."""
    assert send(ready, "GET", HOOKS, token="wrong")[0] == 401
    assert send(ready, "GET", "https://api.github.com/repos/acme/other/hooks")[0] == 404
    assert send(ready, "GET", "https://api.github.com/orgs/acme/hooks")[0] == 404
    ready.state.github.organizations.add("acme")
    assert send(ready, "GET", "https://api.github.com/orgs/acme/hooks") == (200, [])
    assert send(ready, "POST", HOOKS, {"config": {}})[0] == 422
    config = {"url": "https://ingest.a.run.app/", "secret": "s", "content_type": "json"}
    _, hook = send(ready, "POST", HOOKS, {"config": config, "events": ["issues"]})
    assert (
        send(ready, "POST", "https://api.github.com/orgs/acme/hooks", {"config": config, "name": "web"})[0]
        == 201
    )
    assert (
        send(ready, "PATCH", f"{HOOKS}/{hook['id']}/config", {"insecure_ssl": "0"})[1]["secret"] == "********"
    )
    _, changed = send(ready, "PATCH", f"{HOOKS}/{hook['id']}", {"config": {"url": config["url"]}})
    assert changed["config"] == {"url": config["url"], "content_type": "form", "insecure_ssl": "0"}
    _, (delivery,) = send(ready, "GET", f"{HOOKS}/{hook['id']}/deliveries")
    assert (delivery["event"], delivery["status_code"]) == ("ping", 404)
    assert send(ready, "POST", f"{HOOKS}/{hook['id']}/deliveries/{delivery['id']}/attempts")[0] == 202
    assert [d["guid"] for d in ready.state.github.hooks.deliveries[hook["id"]]] == [delivery["guid"]] * 2
    assert send(ready, "DELETE", f"{HOOKS}/{hook['id']}")[0] == 204
    assert ready.state.github.hooks.by_place["acme/app"] == {}


def test_a_ping_is_answered_as_ingest_would(ready):
    """By default it is 404 without ingest, 403 if that is private, 401 with another secret, else 200."""
    deploy(
        ready, function_body(ready, environmentVariables={"WEBHOOK_SECRET": f"projects/{PROJECT}/secrets/s"})
    )
    url = ready.state.functions["ingest"]["serviceConfig"]["uri"]
    config = {"url": "https://ingest-wrong.a.run.app", "secret": "x"}
    _, hook = send(ready, "POST", HOOKS, {"config": config})
    send(ready, "PATCH", f"{HOOKS}/{hook['id']}", {"config": config | {"url": url}})
    send(ready, "POST", f"{HOOKS}/{hook['id']}/pings")
    send(ready, "POST", f"{SERVICE}:setIamPolicy", binding("roles/run.invoker", "allUsers"))
    send(ready, "POST", f"{HOOKS}/{hook['id']}/pings")
    send(ready, "POST", f"{SECRETS}?secretId=s", REPLICATION)
    send(ready, "POST", secret("s", ":addVersion"), {"payload": {"data": "eA=="}})
    send(ready, "POST", f"{HOOKS}/{hook['id']}/pings")
    assert [d["status_code"] for d in ready.state.github.hooks.deliveries[hook["id"]]] == [200, 401, 403, 404]


def test_a_delivery_may_be_listed_late(ready):
    """A list shows the newest delivery only after as many calls as the test sets."""
    _, hook = send(ready, "POST", HOOKS, {"config": {"url": "https://ingest.a.run.app/"}})
    ready.state.github.hooks.late_lists = 2
    seen = [send(ready, "GET", f"{HOOKS}/{hook['id']}/deliveries")[1] for _ in range(3)]
    assert [len(deliveries) for deliveries in seen] == [0, 0, 1]
