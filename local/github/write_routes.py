"""The routes that change an issue: https://docs.github.com/rest/issues (labels, assignees, comments, state).

Each change is stored with who made it, and its webhook is sent in another thread. A label that is new to the
repository is created. Refused, though GitHub would do it: bare lists, milestones, titles and texts, whole
sets of labels or assignees, and changes of pull requests except comments, since their webhooks are others.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, g, request

from local.github.errors import ApiError, not_imitated
from local.github.paging import check_query
from local.github.repository import HostedRepository
from local.github.state import GitHub
from ops.send import payloads
from ops.send.accounts import Account
from ops.send.payload_spec import PayloadSpec
from ops.send.shapes import comment as comment_json

WITHOUT_EFFECT = "issuewire.without_effect"  # in the environment of a request whose change is not made
LONGEST_LABEL, LONGEST_COMMENT, MOST_ASSIGNEES = 50, 65_536, 10
REASONS = {"open": {None, "reopened"}, "closed": {None, "completed", "not_planned", "duplicate"}}

type Json = dict[str, Any]
type View = Callable[[HostedRepository, int], tuple[Any, int]]


def write_routes(github: GitHub, prefix: str) -> Blueprint:
    """Return the routes; each answers for a repository by its name and by its id."""
    routes = Blueprint("writes", __name__)

    def on(method: str, path: str) -> Callable[[View], View]:
        def register(view: View) -> View:
            def answer(number: int, repository_id: int = 0, owner: str = "", name: str = "") -> Any:
                hosted = github.repository(repository_id or f"{owner}/{name}")
                issue = hosted.issue(number, request.host_url.rstrip("/") + prefix)
                check_query(())
                if "pull_request" in issue and path != "/comments":
                    raise not_imitated("changes of pull requests")
                return view(hosted, number)

            for base in ("/repos/<owner>/<name>", "/repositories/<int:repository_id>"):
                endpoint = f"{method} {base}{path}".replace(".", "_")
                routes.add_url_rule(f"{base}/issues/<int:number>{path}", endpoint, answer, methods=[method])
            return view

        return register

    def act(hosted: HostedRepository, number: int, event: str = "issues", **change: Any) -> None:
        if WITHOUT_EFFECT not in request.environ:
            name = hosted.repository.full_name
            github.act(PayloadSpec(event=event, repository=name, number=number, author=g.actor, **change))

    @on("POST", "/labels")
    def add_labels(hosted: HostedRepository, number: int) -> tuple[Any, int]:
        wanted = [hosted.label(name) for name in _names("labels", LONGEST_LABEL)]
        for name in dict.fromkeys(wanted):
            if name not in _values(hosted, number, "labels", "name"):
                act(hosted, number, action="labeled", label=name)
        return hosted.issues[number]["labels"], 200

    @on("POST", "/assignees")
    def add_assignees(hosted: HostedRepository, number: int) -> tuple[Any, int]:
        """Assign; GitHub drops in silence whom it cannot assign, and more than ten."""
        for login in dict.fromkeys(_names("assignees")):
            there = _values(hosted, number, "assignees", "login")
            can = github.assignable is None or login in github.assignable
            if can and login not in there and len(there) < MOST_ASSIGNEES:
                act(hosted, number, action="assigned", assignee=login)
        return hosted.issues[number], 201

    @on("POST", "/comments")
    def comment(hosted: HostedRepository, number: int) -> tuple[Any, int]:
        body = _body("body").get("body")
        if not isinstance(body, str) or not body.strip():
            raise _invalid("IssueComment", "body", "missing_field")
        if len(body) > LONGEST_COMMENT:
            raise ApiError(422, f"Body is too long (maximum is {LONGEST_COMMENT} characters)")
        if hosted.issues[number].get("locked"):
            raise ApiError(403, "Unable to create comment because issue is locked.")
        act(hosted, number, "issue_comment", action="created", body=body)
        if WITHOUT_EFFECT in request.environ:
            at = payloads.time_text(github.time())
            return comment_json(hosted.issues[number], 1, Account.named(g.actor).as_json(), at, body), 201
        return hosted.comments[-1], 201

    @on("PATCH", "")
    def update(hosted: HostedRepository, number: int) -> tuple[Any, int]:
        """Close or reopen the issue. A close that changes nothing has no event, as at GitHub."""
        body, issue = _body("state", "state_reason"), hosted.issues[number]
        state, reason = body.get("state"), body.get("state_reason")
        if state not in {"open", "closed"}:
            raise _invalid("Issue", "state", "invalid")
        if reason not in REASONS[state]:
            raise _invalid("Issue", "state_reason", "invalid")
        if state == "closed" and (issue["state"] != state or reason not in {None, issue["state_reason"]}):
            act(hosted, number, action="closed", reason=reason)
        elif issue["state"] != state:
            act(hosted, number, action="reopened")
        return hosted.issues[number], 200

    return routes


def _body(*fields: str) -> Json:
    """Return the body, an object with these fields only. Raises ApiError."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "Problems parsing JSON")
    if unknown := sorted(body.keys() - set(fields)):
        raise not_imitated(", ".join(unknown))
    return body


def _names(field: str, longest: int = 100) -> list[str]:
    """Return the names in the body's list. Raises ApiError."""
    names = _body(field).get(field)
    if not isinstance(names, list) or not names:
        raise _invalid("Issue", field, "missing_field")
    if not all(isinstance(name, str) and 0 < len(name.strip()) <= longest for name in names):
        raise _invalid("Label" if field == "labels" else "Issue", "name", "invalid")
    return names


def _values(hosted: HostedRepository, number: int, field: str, key: str) -> list[str]:
    return [each[key] for each in hosted.issues[number][field]]


def _invalid(resource: str, field: str, code: str) -> ApiError:
    return ApiError(422, "Validation Failed", [{"resource": resource, "code": code, "field": field}])
