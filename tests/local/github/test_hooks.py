"""The GitHub stand-in keeps webhooks, pings them, and lists what it delivered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.ingest.signature import sign
from local.github.server import GitHubServer
from tests.ops.send.receiver import Receiver, listening
from tests.support.messages import an_issue

HOOKS = "/repos/acme/app/hooks"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Listen at a hook's URL."""
    with listening() as received:
        received.status = 200
        yield received


def config(receiver: Receiver, **changes: str) -> dict[str, Any]:
    """Return the config of a hook."""
    return {"url": receiver.url, "secret": "s3cret", "content_type": "json", **changes}


@pytest.mark.parametrize("base", ["/repos/acme/app", "/orgs/acme"])
def test_a_new_hook_is_pinged(ask: Any, receiver: Receiver, base: str) -> None:
    """Creating a hook delivers a signed ping; the answers never show the secret."""
    created = ask("POST", f"{base}/hooks", {"name": "web", "config": config(receiver), "events": ["issues"]})
    assert (created.status_code, created.json()["config"]["secret"]) == (201, "********")
    headers, body = receiver.sent
    assert headers["x-github-event"] == "ping"
    assert headers["x-github-hook-id"] == str(created.json()["id"])
    assert headers["x-hub-signature-256"] == sign(body, b"s3cret")
    assert b"s3cret" not in body
    [listed] = ask("GET", f"{base}/hooks").json()
    assert listed["last_response"]["code"] == 200


def test_a_form_hook_gets_a_form(ask: Any, receiver: Receiver) -> None:
    """Without content_type json, the payload is a form field, and without a secret it is not signed."""
    ask("POST", HOOKS, {"config": {"url": receiver.url}})
    headers, body = receiver.sent
    assert (headers["content-type"], body[:8]) == ("application/x-www-form-urlencoded", b"payload=")
    assert "x-hub-signature-256" not in headers


@pytest.mark.parametrize(
    "body",
    [
        {"config": {}},
        {"config": {"url": "ftp://x"}},
        {"name": "email", "config": {"url": "https://x.example"}},
        {"config": {"url": "https://x.example"}, "events": []},
        {"config": {"url": "https://x.example"}, "events": ["No such"]},
    ],
)
def test_a_wrong_hook_is_refused(ask: Any, body: dict[str, Any]) -> None:
    """A hook without a URL, with another name or without events is 422."""
    assert ask("POST", HOOKS, body).status_code == 422


def test_a_url_has_one_hook(ask: Any, receiver: Receiver) -> None:
    """A second hook with the same URL is refused; an organization's name field is required."""
    assert ask("POST", HOOKS, {"config": config(receiver)}).status_code == 201
    refused = ask("POST", HOOKS, {"config": config(receiver)})
    assert "already exists" in refused.json()["errors"][0]["message"]
    assert ask("POST", "/orgs/acme/hooks", {"config": config(receiver)}).status_code == 422


def test_an_update_replaces_the_config(ask: Any, receiver: Receiver) -> None:
    """An update of the config without a secret removes it; an update of single settings keeps it."""
    number = ask("POST", HOOKS, {"config": config(receiver), "events": ["issues"]}).json()["id"]
    kept = ask("PATCH", f"{HOOKS}/{number}/config", {"insecure_ssl": "1"}).json()
    assert (kept["secret"], kept["insecure_ssl"]) == ("********", "1")
    changed = ask(
        "PATCH", f"{HOOKS}/{number}", {"config": {"url": receiver.url}, "add_events": ["issue_comment"]}
    ).json()
    assert "secret" not in changed["config"]
    assert changed["events"] == ["issue_comment", "issues"]
    assert ask("GET", f"{HOOKS}/{number}").json()["config"] == changed["config"]


def test_deliveries_are_listed_newest_first(server: GitHubServer, ask: Any, receiver: Receiver) -> None:
    """Pings and redeliveries are listed with their status, and a redelivery keeps the guid and the body."""
    number = ask("POST", HOOKS, {"config": config(receiver)}).json()["id"]
    receiver.status = 503
    assert ask("POST", f"{HOOKS}/{number}/pings").status_code == 204
    second, first = ask("GET", f"{HOOKS}/{number}/deliveries").json()
    assert (second["status_code"], first["status_code"]) == (503, 200)
    receiver.status = 200
    assert ask("POST", f"{HOOKS}/{number}/deliveries/{second['id']}/attempts").status_code == 202
    pages = ask("GET", f"{HOOKS}/{number}/deliveries?per_page=2")
    third = pages.json()[0]
    assert (third["guid"], third["redelivery"]) == (second["guid"], True)
    assert receiver.requests[2][1] == receiver.requests[1][1]
    older = ask("GET", pages.links["next"]["url"].removeprefix(server.url)).json()
    assert [delivery["id"] for delivery in older] == [first["id"]]
    assert ask("GET", f"{HOOKS}/{number}/deliveries/{third['id']}").json()["request"]["payload"]["zen"]
    assert ask("GET", f"{HOOKS}/{number}/deliveries/1").status_code == 404


def test_a_delivery_may_be_listed_late(server: GitHubServer, ask: Any, receiver: Receiver) -> None:
    """A list shows the newest delivery only after as many lists as the test sets."""
    number = ask("POST", HOOKS, {"config": config(receiver)}).json()["id"]
    server.github.hooks.late_lists = 2
    lists = [ask("GET", f"{HOOKS}/{number}/deliveries").json() for _ in range(3)]
    assert [len(each) for each in lists] == [0, 0, 1]


def test_an_unreachable_url_is_a_502(ask: Any) -> None:
    """A URL that cannot be reached is listed as a failed delivery."""
    hook = ask("POST", HOOKS, {"config": {"url": "http://127.0.0.1:1/"}}).json()
    assert ask("GET", f"{HOOKS}/{hook['id']}").json()["last_response"]["code"] == 502


def test_a_deleted_hook_is_gone(ask: Any, receiver: Receiver) -> None:
    """A deleted hook is not found, and its URL is free again."""
    number = ask("POST", HOOKS, {"config": config(receiver)}).json()["id"]
    assert ask("DELETE", f"{HOOKS}/{number}").status_code == 204
    assert ask("GET", f"{HOOKS}/{number}").status_code == 404
    assert ask("POST", HOOKS, {"config": config(receiver)}).status_code == 201


def test_a_body_must_be_json(ask: Any) -> None:
    """A body that is not a JSON object is 400."""
    assert ask("POST", HOOKS, ["x"]).status_code == 400


def test_an_event_has_one_guid_for_all_hooks(server: GitHubServer, ask: Any, receiver: Receiver) -> None:
    """Hooks of a repository and of its owner get an event under one guid, if active and subscribed."""
    for base in ("/repos/acme/app", "/orgs/acme"):
        ask("POST", f"{base}/hooks", {"name": "web", "config": config(receiver), "events": ["issues"]})
    opened = an_issue().opened()
    guid = server.github.emit("acme/app", opened)
    assert [headers["x-github-delivery"] for headers, _ in receiver.requests[2:]] == [guid, guid]
    assert ask("GET", "/repos/acme/app/issues/7").json()["number"] == 7
    hook = next(iter(server.github.hooks.by_place["acme"].values()))
    ask("PATCH", f"/orgs/acme/hooks/{hook['id']}", {"active": False})
    ask("PATCH", f"/repos/acme/app/hooks/{hook['id'] - 2}", {"events": ["push"]})
    server.github.emit("acme/app", opened)
    assert len(receiver.requests) == 4


def test_deliveries_are_kept_for_three_days(server: GitHubServer, ask: Any, receiver: Receiver) -> None:
    """After three days a delivery is not listed, and cannot be redelivered."""
    number = ask("POST", HOOKS, {"config": config(receiver)}).json()["id"]
    [delivery] = ask("GET", f"{HOOKS}/{number}/deliveries").json()
    attempts = f"{HOOKS}/{number}/deliveries/{delivery['id']}/attempts"
    server.github.now = datetime.now(UTC) + timedelta(hours=71)
    assert ask("POST", attempts).status_code == 202
    assert [guid for _, guid in server.github.hooks.asked] == [delivery["guid"]]
    server.github.now += timedelta(hours=2)
    assert ask("POST", attempts).status_code == 404
    [listed] = ask("GET", f"{HOOKS}/{number}/deliveries").json()
    assert (listed["guid"], listed["redelivery"]) == (delivery["guid"], True)


def test_an_organization_lists_its_repositories(server: GitHubServer, ask: Any) -> None:
    """The repositories of an organization are listed, and no others."""
    server.github.host("other/app")
    assert [each["full_name"] for each in ask("GET", "/orgs/acme/repos?type=all").json()] == ["acme/app"]
    assert ask("GET", "/orgs/other/repos").status_code == 404
