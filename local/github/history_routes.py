"""The routes of repositories, issues, comments and events: https://docs.github.com/rest/issues."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from local.github import paging
from local.github.errors import not_found
from local.github.queries import Query, paged, read_query
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
            def answer(
                owner: str = "", name: str = "", repository_id: int = 0, number: int | None = None
            ) -> Any:
                if repository_id:
                    hosted = github.repository_with_id(repository_id)
                else:
                    hosted = github.repository(f"{owner}/{name}")
                if number is not None and number not in hosted.issues:
                    raise not_found()
                query = read_query(*parameters)
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
            return paged(paging.by_cursor(found, query, url(hosted), parameter="after"))
        return paged(paging.by_number(found, query, url(hosted)))

    @on("/issues/comments", *_SORTED, *_PAGES)
    def comments(hosted: HostedRepository, query: Query) -> Response:
        return paged(paging.by_number(hosted.list_comments(query), query, url(hosted)))

    @on("/issues/events", *_PAGES)
    def events(hosted: HostedRepository, query: Query) -> Response:
        page = paging.by_number(hosted.list_events(), query, url(hosted), last=github.event_pages)
        return paged(page)

    @on("/issues/<int:number>")
    def issue(hosted: HostedRepository, _query: Query, number: int) -> Json:
        return hosted.issues[number]

    @on("/issues/<int:number>/comments", *_PAGES)
    def comments_of(hosted: HostedRepository, query: Query, number: int) -> Response:
        return paged(paging.by_number(hosted.comments_of(number), query, url(hosted)))

    @on("/issues/<int:number>/events", *_PAGES)
    def events_of(hosted: HostedRepository, query: Query, number: int) -> Response:
        return paged(paging.by_number(hosted.events_of(number), query, url(hosted)))

    return routes
