"""GitHub's REST API for webhooks: hooks of repositories and organisations, pings, deliveries."""

import re
import uuid
from typing import Any
from urllib.parse import urlsplit

from tests.deploy.cloud.messages import Answer, ApiError, Request
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State, now

__all__ = ["github"]

_DOCS = "https://docs.github.com/rest/repos/webhooks"
_REPOSITORY, _ORGANIZATION = "/repos/{owner}/{repository}", "/orgs/{owner}"
_MASK = "********"


def _render(error: ApiError) -> dict[str, Any]:
    body = {"message": error.message, "documentation_url": _DOCS, "status": str(error.status)}
    return body | ({"errors": error.details} if error.details else {})


github = Routes("api.github.com", render=_render, is_google=False)


@github.on("GET", _REPOSITORY)
@github.on("GET", _ORGANIZATION)
def describe(state: State, request: Request, owner: str, repository: str = "") -> Any:
    """Show a repository or an organisation."""
    place = _place(state, request, owner, repository)
    shown = {"full_name": place, "private": True} if repository else {"login": place}
    return shown | {"id": 1296269, "permissions": {"admin": True}}


@github.on("GET", f"{_REPOSITORY}/hooks")
@github.on("GET", f"{_ORGANIZATION}/hooks")
def list_hooks(state: State, request: Request, owner: str, repository: str = "") -> Any:
    """List the hooks, by default 30 a page."""
    hooks = list(state.hooks[_place(state, request, owner, repository)].values())
    return _paged(request, [_shown(hook) for hook in hooks])


@github.on("POST", f"{_REPOSITORY}/hooks")
@github.on("POST", f"{_ORGANIZATION}/hooks")
def create_hook(state: State, request: Request, owner: str, repository: str = "") -> Any:
    """Create a hook and ping it."""
    place = _place(state, request, owner, repository)
    body = _json(request)
    if body.get("name", "web") != "web" or (not repository and "name" not in body):
        raise _invalid("name", 'must be "web"')
    number = 100 + state.next_number()
    hook = {
        "type": "Repository" if repository else "Organization",
        "id": number,
        "name": "web",
        "active": body.get("active", True),
        "events": _events(body.get("events", ["push"])),
        "config": _config(state, place, body.get("config", {}), number),
        "created_at": now(),
        "updated_at": now(),
        "last_response": {"code": None, "status": "unused", "message": None},
    }
    state.hooks[place][number] = hook
    _deliver(state, hook, "ping", str(uuid.uuid4()))
    return Answer(status=201, body=_shown(hook))


@github.on("GET", f"{_REPOSITORY}/hooks/{{hook}}")
@github.on("GET", f"{_ORGANIZATION}/hooks/{{hook}}")
def describe_hook(state: State, request: Request, hook: str, owner: str, repository: str = "") -> Any:
    """Show a hook; its secret is masked."""
    return _shown(_hook(state, request, hook, owner, repository))


@github.on("PATCH", f"{_REPOSITORY}/hooks/{{hook}}")
@github.on("PATCH", f"{_ORGANIZATION}/hooks/{{hook}}")
def update_hook(state: State, request: Request, hook: str, owner: str, repository: str = "") -> Any:
    """Change a hook. A config replaces the old one: without a secret in it, the hook loses its secret."""
    found = _hook(state, request, hook, owner, repository)
    body = _json(request)
    events = set(_events(body["events"])) if "events" in body else set(found["events"])
    events |= set(body.get("add_events", []))
    events -= set(body.get("remove_events", []))
    place = _place(state, request, owner, repository)
    if "config" in body:
        found["config"] = _config(state, place, body["config"], found["id"])
    found |= {
        "events": _events(sorted(events)),
        "active": body.get("active", found["active"]),
        "updated_at": now(),
    }
    return _shown(found)


@github.on("PATCH", f"{_REPOSITORY}/hooks/{{hook}}/config")
@github.on("PATCH", f"{_ORGANIZATION}/hooks/{{hook}}/config")
def update_config(state: State, request: Request, hook: str, owner: str, repository: str = "") -> Any:
    """Change the named settings; the others, the secret included, stay."""
    found = _hook(state, request, hook, owner, repository)
    place = _place(state, request, owner, repository)
    found["config"] = _config(state, place, found["config"] | _json(request), found["id"])
    return _shown(found)["config"]


@github.on("DELETE", f"{_REPOSITORY}/hooks/{{hook}}")
@github.on("DELETE", f"{_ORGANIZATION}/hooks/{{hook}}")
def delete_hook(state: State, request: Request, hook: str, owner: str, repository: str = "") -> Any:
    """Delete a hook."""
    found = _hook(state, request, hook, owner, repository)
    del state.hooks[_place(state, request, owner, repository)][found["id"]]
    state.deliveries.pop(found["id"], None)
    return Answer(status=204)


@github.on("POST", f"{_REPOSITORY}/hooks/{{hook}}/pings")
@github.on("POST", f"{_ORGANIZATION}/hooks/{{hook}}/pings")
def ping(state: State, request: Request, hook: str, owner: str, repository: str = "") -> Any:
    """Ping a hook."""
    _deliver(state, _hook(state, request, hook, owner, repository), "ping", str(uuid.uuid4()))
    return Answer(status=204)


@github.on("GET", f"{_REPOSITORY}/hooks/{{hook}}/deliveries")
@github.on("GET", f"{_ORGANIZATION}/hooks/{{hook}}/deliveries")
def list_deliveries(state: State, request: Request, hook: str, owner: str, repository: str = "") -> Any:
    """List deliveries, newest first; `cursor` names the next page."""
    found = _hook(state, request, hook, owner, repository)
    late = state.late_deliveries > 0
    state.late_deliveries -= late
    return _paged(request, state.deliveries[found["id"]][late:], name="cursor")


@github.on("GET", f"{_REPOSITORY}/hooks/{{hook}}/deliveries/{{delivery}}")
@github.on("GET", f"{_ORGANIZATION}/hooks/{{hook}}/deliveries/{{delivery}}")
def describe_delivery(  # noqa: PLR0917 -- the parts of the path
    state: State, request: Request, hook: str, delivery: str, owner: str, repository: str = ""
) -> Any:
    """Show a delivery."""
    return _delivery(state, _hook(state, request, hook, owner, repository), delivery)


@github.on("POST", f"{_REPOSITORY}/hooks/{{hook}}/deliveries/{{delivery}}/attempts")
@github.on("POST", f"{_ORGANIZATION}/hooks/{{hook}}/deliveries/{{delivery}}/attempts")
def redeliver(  # noqa: PLR0917 -- the parts of the path
    state: State, request: Request, hook: str, delivery: str, owner: str, repository: str = ""
) -> Any:
    """Redeliver: add a delivery with the same guid."""
    found = _hook(state, request, hook, owner, repository)
    old = _delivery(state, found, delivery)
    _deliver(state, found, old["event"], old["guid"], redelivery=True)
    return Answer(status=202)


def _place(state: State, request: Request, owner: str, repository: str) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "token") or token != state.github_token:
        raise ApiError(401, "Bad credentials" if token else "Requires authentication")
    if "user-agent" not in request.headers:
        raise ApiError(403, "Request forbidden by administrative rules.")
    place = f"{owner}/{repository}" if repository else owner
    if place not in (state.repositories if repository else state.organizations):
        raise ApiError(404, "Not Found")
    return place


def _hook(state: State, request: Request, hook: str, owner: str, repository: str) -> dict[str, Any]:
    hooks = state.hooks[_place(state, request, owner, repository)]
    if not hook.isdecimal() or int(hook) not in hooks:
        raise ApiError(404, "Not Found")
    found: dict[str, Any] = hooks[int(hook)]
    return found


def _delivery(state: State, hook: dict[str, Any], delivery: str) -> dict[str, Any]:
    for found in state.deliveries[hook["id"]]:
        if str(found["id"]) == delivery:
            return found
    raise ApiError(404, "Not Found")


def _json(request: Request) -> dict[str, Any]:
    body = request.body
    if not isinstance(body, dict):
        raise ApiError(400, "Problems parsing JSON")
    return body


def _events(events: Any) -> list[str]:
    if not isinstance(events, list) or not events:
        raise _invalid("events", "must have at least one event")
    for event in events:
        if not (isinstance(event, str) and re.fullmatch(r"[a-z_]+|\*", event)):
            raise _invalid("events", f"{event} is not an event")
    return events


def _config(state: State, place: str, config: Any, number: int) -> dict[str, Any]:
    url = config.get("url", "") if isinstance(config, dict) else ""
    if urlsplit(url).scheme not in ("http", "https"):
        raise _invalid("url", "is missing or not a URL")
    if any(hook["config"]["url"] == url and key != number for key, hook in state.hooks[place].items()):
        kind = "repository" if "/" in place else "organization"
        raise ApiError(
            422,
            "Validation Failed",
            details=[
                {"resource": "Hook", "code": "custom", "message": f"Hook already exists on this {kind}"}
            ],
        )
    defaults: dict[str, Any] = {"content_type": "form", "insecure_ssl": "0"}
    return {**defaults, **config}


def _invalid(field: str, what: str) -> ApiError:
    details = [{"resource": "Hook", "code": "custom", "field": field, "message": f"{field} {what}"}]
    return ApiError(422, "Validation Failed", details=details)


def _shown(hook: dict[str, Any]) -> dict[str, Any]:
    config = hook["config"] | ({"secret": _MASK} if hook["config"].get("secret") else {})
    return hook | {"config": config}


def _deliver(state: State, hook: dict[str, Any], event: str, guid: str, *, redelivery: bool = False) -> None:
    code = _status_of_ingest(state, hook) if state.ping_status is None else state.ping_status
    status = "OK" if code < 300 else f"Invalid HTTP Response: {code}"
    hook["last_response"] = {"code": code, "status": "active", "message": status}
    state.deliveries[hook["id"]].insert(
        0,
        {
            "id": 10**10 + state.next_number(),
            "guid": guid,
            "delivered_at": now(),
            "redelivery": redelivery,
            "duration": 0.1,
            "status": status,
            "status_code": code,
            "event": event,
            "action": None,
            "installation_id": None,
            "repository_id": None,
            "throttled_at": None,
        },
    )


def _status_of_ingest(state: State, hook: dict[str, Any]) -> int:
    """Return the status of ingest, which must exist, be public, and know the secret of the hook."""
    name = state.function_at(urlsplit(hook["config"]["url"]).netloc)
    if name is None:
        return 404
    if not state.is_public(name):
        return 403
    return 200 if state.knows_secret(name, hook["config"].get("secret", "")) else 401


def _paged(request: Request, items: list[Any], name: str = "page") -> Answer:
    size = min(int(request.query.get("per_page", "30")), 100)
    page = int(request.query.get(name, "1"))
    part, rest = items[(page - 1) * size : page * size], items[page * size :]
    query = f"per_page={size}&{name}={page + 1}"
    link = {"Link": f'<https://api.github.com{request.path}?{query}>; rel="next"'} if rest else {}
    return Answer(body=part, headers=link)
