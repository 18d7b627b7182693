"""The routes of the API. A parameter that GitHub would ignore is refused, so that a mistake fails here.

Not imitated: the permissions of a token, secondary rate limits, ETags, and every route that is not below.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from local.github import paging
from local.github.errors import ApiError, not_found
from local.github.hooks import shown
from local.github.repository import HostedRepository
from local.github.state import GitHub

type Json = dict[str, Any]
type Query = Mapping[str, str]
type View = Callable[..., Any]

_PAGES = ("per_page", "page")
_SORTED = ("sort", "direction", "since")


def create_app(github: GitHub, prefix: str = "") -> Flask:
    """Build the application; `prefix` is the path of the API, such as /api/v3 of GitHub Enterprise Server."""
    app = Flask(__name__, static_folder=None)
    app.config.update(PROPAGATE_EXCEPTIONS=True)

    @app.before_request
    def check_access() -> None:
        github.check_access(request.headers)

    @app.errorhandler(ApiError)
    def refuse(error: ApiError) -> tuple[Response, int]:
        return jsonify(error.content), error.status

    @app.errorhandler(HTTPException)
    def refuse_route(_error: HTTPException) -> tuple[Response, int, dict[str, str]]:
        return jsonify(not_found().content), 404, {"X-Stand-In": "no route"}

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(github.headers())
        return response

    for blueprint in (_histories(github, prefix), _webhooks(github)):
        app.register_blueprint(blueprint, url_prefix=prefix or None)
    return app


def _histories(github: GitHub, prefix: str) -> Blueprint:
    """Return the routes of repositories and issues: https://docs.github.com/rest/issues."""
    routes = Blueprint("histories", __name__)

    def on(path: str, *parameters: str) -> Callable[[View], View]:
        def register(view: View) -> View:
            def answer(
                owner: str = "", name: str = "", repository_id: int = 0, number: int | None = None
            ) -> Any:
                if repository_id:
                    hosted = github.repository_with_id(repository_id)
                else:
                    hosted = github.repository(f"{owner}/{name}")
                if number is not None and number not in hosted.issues:
                    raise not_found()
                query = _query(*parameters)
                return view(hosted, query) if number is None else view(hosted, query, number)

            for base in ("/repos/<owner>/<name>", "/repositories/<int:repository_id>"):
                routes.add_url_rule(base + path, f"{base} {path}".replace(".", "_"), answer)
            return view

        return register

    def url(hosted: HostedRepository) -> str:
        """Return the URL of this list as GitHub's links give it: by the repository's id."""
        parts = request.path.removeprefix(prefix).split("/")
        rest = parts[4:] if parts[1] == "repos" else parts[3:]
        return f"{request.host_url.rstrip('/')}{prefix}/repositories/{hosted.repository.id}/{'/'.join(rest)}"

    @on("")
    def repository(hosted: HostedRepository, _query: Query) -> Json:
        return hosted.repository.as_json() | {"permissions": {"admin": True, "pull": True}}

    @on("/issues", "state", "after", *_SORTED, *_PAGES)
    def issues(hosted: HostedRepository, query: Query) -> Response:
        found = hosted.list_issues(query)
        if github.has_cursors:
            return _paged(paging.by_cursor(found, query, url(hosted), parameter="after"))
        return _paged(paging.by_number(found, query, url(hosted)))

    @on("/issues/comments", *_SORTED, *_PAGES)
    def comments(hosted: HostedRepository, query: Query) -> Response:
        return _paged(paging.by_number(hosted.list_comments(query), query, url(hosted)))

    @on("/issues/events", *_PAGES)
    def events(hosted: HostedRepository, query: Query) -> Response:
        page = paging.by_number(hosted.list_events(), query, url(hosted), last=github.event_pages)
        return _paged(page)

    @on("/issues/<int:number>")
    def issue(hosted: HostedRepository, _query: Query, number: int) -> Json:
        return hosted.issues[number]

    @on("/issues/<int:number>/comments", *_PAGES)
    def comments_of(hosted: HostedRepository, query: Query, number: int) -> Response:
        return _paged(paging.by_number(hosted.comments_of(number), query, url(hosted)))

    @on("/issues/<int:number>/events", *_PAGES)
    def events_of(hosted: HostedRepository, query: Query, number: int) -> Response:
        return _paged(paging.by_number(hosted.events_of(number), query, url(hosted)))

    return routes


def _webhooks(github: GitHub) -> Blueprint:
    """Return the routes of hooks: https://docs.github.com/rest/repos/webhooks and .../orgs/webhooks."""
    routes, hooks = Blueprint("webhooks", __name__), github.hooks

    def on(method: str, path: str, *parameters: str) -> Callable[[View], View]:
        def register(view: View) -> View:
            def answer(owner: str, name: str = "", hook_id: str = "", delivery_id: str = "") -> Any:
                place = github.place(owner, name)
                query = _query(*parameters)
                if not hook_id:
                    return view(place, query)
                hook = hooks.find(place, hook_id)
                if not delivery_id:
                    return view(place, hook)
                return view(hook, hooks.find_delivery(hook, delivery_id))

            for base in ("/repos/<owner>/<name>", "/orgs/<owner>"):
                endpoint = f"{method} {base}{path}".replace(".", "_")
                routes.add_url_rule(base + path, endpoint, answer, methods=[method])
            return view

        return register

    @on("GET", "/hooks", *_PAGES)
    def list_hooks(place: str, query: Query) -> Response:
        return _paged(paging.by_number(hooks.list_hooks(place), query, request.base_url))

    @on("POST", "/hooks")
    def create(place: str, _query: Query) -> tuple[Json, int]:
        return shown(hooks.create(place, _body())), 201

    @on("GET", "/hooks/<hook_id>")
    def describe(_place: str, hook: Json) -> Json:
        return shown(hook)

    @on("PATCH", "/hooks/<hook_id>")
    def update(place: str, hook: Json) -> Json:
        hooks.update(place, hook, _body())
        return shown(hook)

    @on("PATCH", "/hooks/<hook_id>/config")
    def update_config(place: str, hook: Json) -> Json:
        hooks.update_config(place, hook, _body())
        config: Json = shown(hook)["config"]
        return config

    @on("DELETE", "/hooks/<hook_id>")
    def delete(place: str, hook: Json) -> tuple[str, int]:
        hooks.delete(place, hook)
        return "", 204

    @on("POST", "/hooks/<hook_id>/pings")
    def ping(_place: str, hook: Json) -> tuple[str, int]:
        hooks.ping(hook)
        return "", 204

    @on("GET", "/hooks/<hook_id>/deliveries", "per_page", "cursor")
    def list_deliveries(_place: str, hook: Json) -> Response:
        page = paging.by_cursor(
            hooks.list_deliveries(hook), request.args, request.base_url, parameter="cursor"
        )
        return _paged(page)

    @on("GET", "/hooks/<hook_id>/deliveries/<delivery_id>")
    def describe_delivery(_hook: Json, delivery: Json) -> Json:
        return delivery

    @on("POST", "/hooks/<hook_id>/deliveries/<delivery_id>/attempts")
    def redeliver(hook: Json, delivery: Json) -> tuple[Json, int]:
        hooks.redeliver(hook, delivery)
        return {}, 202

    return routes


def _query(*parameters: str) -> Query:
    unknown = sorted(set(request.args) - set(parameters))
    if unknown:
        raise ApiError(400, f"unknown parameters: {unknown}")
    return request.args


def _body() -> Json:
    # curl names no JSON type unless it is told to, and GitHub does not ask for one.
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "Problems parsing JSON")
    return body


def _paged(page: paging.Page) -> Response:
    response = jsonify(page.items)
    if page.link:
        response.headers["Link"] = page.link
    return response
