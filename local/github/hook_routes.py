"""The routes of webhooks: https://docs.github.com/rest/repos/webhooks and .../orgs/webhooks."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from local.github.errors import ApiError, not_found
from local.github.hooks import shown
from local.github.paging import by_cursor, by_number, check_query
from local.github.state import GitHub

type Json = dict[str, Any]
type View = Callable[..., Any]


def hook_routes(github: GitHub) -> Blueprint:
    """Return the routes; each answers for a repository and for an organization."""
    routes, hooks = Blueprint("webhooks", __name__), github.hooks

    def on(method: str, path: str, *parameters: str) -> Callable[[View], View]:
        def register(view: View) -> View:
            def answer(owner: str, name: str = "", hook_id: str = "", delivery_id: str = "") -> Any:
                place = github.place(owner, name)
                check_query(parameters)
                if not hook_id:
                    return view(place)
                hook = hooks.by_place[place].get(int(hook_id)) if hook_id.isdecimal() else None
                if hook is None:
                    raise not_found()
                if not delivery_id:
                    return view(place, hook)
                delivery = hooks.find(hook, int(delivery_id) if delivery_id.isdecimal() else 0)
                if delivery is None:
                    raise not_found()
                return view(hook, delivery)

            for base in ("/repos/<owner>/<name>", "/orgs/<owner>"):
                endpoint = f"{method} {base}{path}".replace(".", "_")
                routes.add_url_rule(base + path, endpoint, answer, methods=[method])
            return view

        return register

    @on("GET", "/hooks", "per_page", "page")
    def list_hooks(place: str) -> Response:
        return by_number([shown(hook) for hook in hooks.by_place[place].values()], request.base_url)

    @on("POST", "/hooks")
    def create(place: str) -> tuple[Json, int]:
        return shown(hooks.create(place, _body())), 201

    @on("GET", "/hooks/<hook_id>")
    def describe(_place: str, hook: Json) -> Json:
        return shown(hook)

    @on("PATCH", "/hooks/<hook_id>")
    def update(place: str, hook: Json) -> Json:
        hooks.update(place, hook, _body())
        return shown(hook)

    @on("PATCH", "/hooks/<hook_id>/config")
    def update_config(place: str, hook: Json) -> Any:
        """Change single settings of a config; the others stay, the secret too."""
        hook["config"] = hooks.config(place, hook["config"] | _body(), hook["id"])
        return shown(hook)["config"]

    @on("DELETE", "/hooks/<hook_id>")
    def delete(place: str, hook: Json) -> tuple[str, int]:
        del hooks.by_place[place][hook["id"]]
        hooks.deliveries.pop(hook["id"], None)
        return "", 204

    @on("POST", "/hooks/<hook_id>/pings")
    def ping(_place: str, hook: Json) -> tuple[str, int]:
        hooks.ping(hook)
        return "", 204

    @on("GET", "/hooks/<hook_id>/deliveries", "per_page", "cursor")
    def list_deliveries(_place: str, hook: Json) -> Response:
        late = hooks.late_lists > 0
        hooks.late_lists -= late
        return by_cursor(hooks.listed(hook)[late:], request.base_url, parameter="cursor", hidden="request")

    @on("GET", "/hooks/<hook_id>/deliveries/<delivery_id>")
    def describe_delivery(_hook: Json, delivery: Json) -> Json:
        return delivery

    @on("POST", "/hooks/<hook_id>/deliveries/<delivery_id>/attempts")
    def redeliver(hook: Json, delivery: Json) -> tuple[Json, int]:
        hooks.redeliver(hook, delivery)
        return {}, 202

    return routes


def _body() -> Json:
    # curl names no JSON type unless it is told to, and GitHub does not ask for one.
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "Problems parsing JSON")
    return body
