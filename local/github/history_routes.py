"""The routes of repositories, issues, comments and events: https://docs.github.com/rest/issues."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from local.github.errors import not_found
from local.github.paging import by_cursor, by_number, check_query
from local.github.repository import HostedRepository
from local.github.state import GitHub

_PAGES = ("per_page", "page")
_SORTED = ("sort", "direction", "since")


def history_routes(github: GitHub, prefix: str) -> Blueprint:
    """Return the routes; each answers for a repository by its name and by its id."""
    routes = Blueprint("histories", __name__)

    def on(path: str, find: Callable[..., Any], *parameters: str) -> None:
        def answer(repository_id: int = 0, owner: str = "", name: str = "", **number: int) -> Any:
            hosted = github.repository(repository_id or f"{owner}/{name}")
            if number:
                hosted.issue(number["number"], request.host_url.rstrip("/") + prefix)
            check_query(parameters)
            found = find(hosted, **number)
            if isinstance(found, dict):
                return found
            # GitHub's links name the repository by its id.
            rest = request.path.removeprefix(prefix).partition("/issues")[2]
            origin = request.host_url.rstrip("/")
            url = f"{origin}{prefix}/repositories/{hosted.id}/issues{rest}"
            if path == "/issues" and github.has_cursors:
                return by_cursor(found, url, parameter="after")
            return by_number(found, url, last=github.event_pages if path == "/issues/events" else None)

        for base in ("/repos/<owner>/<name>", "/repositories/<int:repository_id>"):
            routes.add_url_rule(base + path, f"{base} {path}".replace(".", "_"), answer)

    def list_repositories(owner: str) -> Response:
        """List the repositories of an organization."""
        check_query(("type", *_PAGES))
        name = github.place(owner).lower()
        hosted = [each for key, each in github.repositories.items() if key.split("/")[0] == name]
        return by_number([each.as_json() for each in hosted], request.base_url)

    def describe_user(login: str) -> dict[str, Any]:
        if login.lower() not in github.users:
            raise not_found()
        return {"login": login, "type": "User"}

    routes.add_url_rule("/users/<login>", "user", describe_user)
    routes.add_url_rule("/orgs/<owner>/repos", "repositories", list_repositories)
    on("", lambda hosted: hosted.as_json() | {"permissions": {"admin": True, "pull": True}})
    on("/issues", lambda hosted: hosted.list_issues(request.args), "state", "after", *_SORTED, *_PAGES)
    on("/issues/comments", lambda hosted: hosted.list_comments(request.args), *_SORTED, *_PAGES)
    on("/issues/events", HostedRepository.list_events, *_PAGES)
    on("/issues/<int:number>", lambda hosted, number: hosted.issues[number])
    on(
        "/issues/<int:number>/comments",
        lambda hosted, number: hosted.comments_of(number, request.args.get("since", "")),
        "since",
        *_PAGES,
    )
    on("/issues/<int:number>/events", HostedRepository.events_of, *_PAGES)
    return routes
