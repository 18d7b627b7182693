"""The routes of repositories, issues, comments and events: https://docs.github.com/rest/issues."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from local.github.errors import not_found
from local.github.paging import by_cursor, by_number, check_query
from local.github.repository import HostedRepository
from local.github.state import GitHub

type Json = dict[str, Any]
type View = Callable[..., Any]

_PAGES = ("per_page", "page")
_SORTED = ("sort", "direction", "since")


def history_routes(github: GitHub, prefix: str) -> Blueprint:
    """Return the routes; each answers for a repository by its name and by its id."""
    routes = Blueprint("histories", __name__)

    def on(path: str, *parameters: str) -> Callable[[View], View]:
        def register(view: View) -> View:
            def answer(repository_id: int = 0, owner: str = "", name: str = "", **number: int) -> Any:
                hosted = github.repository(repository_id or f"{owner}/{name}")
                if number and number["number"] not in hosted.issues:
                    raise not_found()
                check_query(parameters)
                return view(hosted, **number)

            for base in ("/repos/<owner>/<name>", "/repositories/<int:repository_id>"):
                routes.add_url_rule(base + path, f"{base} {path}".replace(".", "_"), answer)
            return view

        return register

    def url(hosted: HostedRepository) -> str:
        """Return the URL of this list as GitHub's links give it: by the repository's id."""
        rest = request.path.removeprefix(prefix).partition("/issues")[2]
        return f"{request.host_url.rstrip('/')}{prefix}/repositories/{hosted.repository.id}/issues{rest}"

    @on("")
    def repository(hosted: HostedRepository) -> Json:
        return hosted.repository.as_json() | {"permissions": {"admin": True, "pull": True}}

    @on("/issues", "state", "after", *_SORTED, *_PAGES)
    def issues(hosted: HostedRepository) -> Response:
        found = hosted.list_issues(request.args)
        if github.has_cursors:
            return by_cursor(found, url(hosted), parameter="after")
        return by_number(found, url(hosted))

    @on("/issues/comments", *_SORTED, *_PAGES)
    def comments(hosted: HostedRepository) -> Response:
        return by_number(hosted.list_comments(request.args), url(hosted))

    @on("/issues/events", *_PAGES)
    def events(hosted: HostedRepository) -> Response:
        return by_number(hosted.list_events(), url(hosted), last=github.event_pages)

    @on("/issues/<int:number>")
    def issue(hosted: HostedRepository, number: int) -> Json:
        return hosted.issues[number]

    @on("/issues/<int:number>/comments", *_PAGES)
    def comments_of(hosted: HostedRepository, number: int) -> Response:
        return by_number(hosted.comments_of(number), url(hosted))

    @on("/issues/<int:number>/events", *_PAGES)
    def events_of(hosted: HostedRepository, number: int) -> Response:
        return by_number(hosted.events_of(number), url(hosted))

    return routes
