"""The routes of a GitHub App: https://docs.github.com/rest/apps and .../rest/apps/webhooks."""

from typing import Any

from flask import Blueprint, Response, request

from local.github.errors import not_found
from local.github.github_app import APP_ID, HOOK_ID, PLACE, SLUG
from local.github.paging import by_cursor, by_number, check_query
from local.github.state import GitHub

type Json = dict[str, Any]


def app_routes(github: GitHub) -> Blueprint:
    """Return the routes; all but the tokens' are refused to everything that is not the App itself."""
    routes, hooks = Blueprint("app", __name__), github.hooks

    def hook() -> Json:
        found = hooks.by_place[PLACE].get(HOOK_ID)
        if found is None:
            raise not_found()
        return found

    def delivery(number: int) -> Json:
        found = hooks.find(hook(), number)
        if found is None:
            raise not_found()
        return found

    @routes.get("/app")
    def describe() -> Json:
        return {
            "id": APP_ID,
            "slug": SLUG,
            "events": hooks.by_place[PLACE].get(HOOK_ID, {}).get("events", []),
        }

    @routes.get("/app/hook/config")
    def config() -> Json:
        return {**hook()["config"], "secret": "********"}

    @routes.get("/app/hook/deliveries")
    def list_deliveries() -> Response:
        check_query(("per_page", "cursor"))
        return by_cursor(hooks.listed(hook()), request.base_url, parameter="cursor", hidden="request")

    @routes.get("/app/hook/deliveries/<int:number>")
    def describe_delivery(number: int) -> Json:
        return delivery(number)

    @routes.post("/app/hook/deliveries/<int:number>/attempts")
    def redeliver(number: int) -> tuple[Json, int]:
        hooks.redeliver(hook(), delivery(number))
        return {}, 202

    @routes.get("/app/installations")
    def installations() -> Response:
        check_query(("per_page", "page"))
        return by_number([each.as_json() for each in github.app.installations], request.base_url)

    @routes.post("/app/installations/<int:number>/access_tokens")
    def create_token(number: int) -> tuple[Json, int]:
        return github.app.create_token(number), 201

    @routes.get("/repos/<owner>/<name>/installation")
    @routes.get("/orgs/<owner>/installation")
    def installation(owner: str, name: str = "") -> Json:
        return github.app.find(f"{owner}/{name}" if name else owner).as_json()

    @routes.get("/repositories/<int:number>/installation")
    def installation_by_id(number: int) -> Json:
        return github.app.find(github.repository(number).repository.full_name).as_json()

    return routes
