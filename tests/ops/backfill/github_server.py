"""A stand-in for GitHub's REST API on the loopback interface: the lists of issues, comments and issue events.

Strict where GitHub is silent: an unknown parameter, a wrong Accept or a missing version is refused, so that
a request that GitHub would misunderstand fails here. It keeps what GitHub keeps of a repository's life:
`observe` takes the webhook's deliveries and remembers of each only what the REST API would still know.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ops.send import accounts, payloads

TOKEN = "ghp_s3cret-of-the-tests"
LISTS = {
    "issues": {"state", "sort", "direction", "since", "per_page", "page", "after"},
    "comments": {"sort", "direction", "since", "per_page", "page"},
    "events": {"per_page", "page"},
    "of_issue": {"per_page", "page"},
    "item": set(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; `hang` lets it wait until the server stops, `cut` sends only that many bytes of it."""

    status: int = 200
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    cut: int | None = None


@dataclass(slots=True, kw_only=True)
class Hosted:
    """What GitHub knows of a repository."""

    repository: accounts.Repository
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    def observe(self, event: payloads.Event) -> None:
        """Remember of a webhook's delivery what the REST API would."""
        payload = event.payload
        issue, action, by = payload["issue"], payload["action"], payload["sender"]
        number, at = issue["number"], issue["updated_at"]
        if action in {"deleted", "transferred"}:
            self.issues.pop(number, None)
            return
        self.issues[number] = issue | {
            "closed_at": issue["closed_at"] if issue["state"] == "closed" else None
        }
        if event.name == "issue_comment":
            self.comments.append(payload["comment"])
        elif action == "opened":
            self.add_event(number, "subscribed", by, at)
            if "changes" in payload:
                self.add_event(number, "transferred", by, at)
            for label in issue["labels"] if "changes" not in payload else ():
                self.add_event(number, "labeled", by, at, label={"name": label["name"], "color": "d73a4a"})
        elif action == "assigned":
            to = payload["assignee"]
            self.add_event(number, action, to, at, assignee=to, assigner=by)
        elif action == "labeled":
            label = {"name": payload["label"]["name"], "color": "d73a4a"}
            self.add_event(number, action, by, at, label=label)
        else:
            extra = {"state_reason": issue["state_reason"], "commit_id": None} if action == "closed" else {}
            self.add_event(number, action, by, at, **extra)

    def add_event(self, number: int, kind: str, by: Any, at: str, **extra: Any) -> None:
        """Remember an issue event."""
        event = {"id": 9_000_000 + len(self.events), "node_id": "E_1", "event": kind, "actor": by}
        self.events.append({**event, "created_at": at, "number": number, **extra})


class GitHubServer:
    """Listens once started; `prefix` is the path of the API, such as /api/v3 of GitHub Enterprise.

    `fault` sees each request before it is answered and may answer in its place; None lets it pass.
    `cursors` pages the issues as github.com does by now, `events_pages` is how far back events are listed.
    """

    def __init__(self, prefix: str = "") -> None:
        self.token = TOKEN
        self.hosted: dict[str, Hosted] = {}
        self.requests: list[str] = []
        self.fault: Callable[[str, int], Reply | None] = lambda _target, _number: None
        self.cursors = False
        self.events_pages = 10_000
        self.remaining = 5_000
        self.reset_at = time.time() + 3_600
        self.now: datetime | None = None
        self.released = threading.Event()
        self._prefix = prefix
        self._sorted: dict[Any, list[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._server = _listen(self)

    @property
    def origin(self) -> str:
        """Return http://host:port."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """Return what GITHUB_API_URL takes."""
        return self.origin + self._prefix

    def start(self) -> None:
        """Answer requests."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """End, also answers that hang."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def host(self, repository: accounts.Repository) -> Hosted:
        """Take in a repository."""
        return self.hosted.setdefault(repository.full_name, Hosted(repository=repository))

    def answer(self, target: str, headers: dict[str, str]) -> Reply:
        """Return what to answer to GET `target`."""
        with self._lock:
            self.requests.append(target)
            number = len(self.requests)
        reply = self.fault(target, number) or self._refusal(headers)
        if reply is None:
            parts = urlsplit(target)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            reply = self._route(parts.path.removeprefix(self._prefix), query)
        limit = {"x-ratelimit-remaining": str(self.remaining), "x-ratelimit-reset": str(int(self.reset_at))}
        return Reply(
            status=reply.status,
            content=reply.content,
            headers=limit | reply.headers,
            hang=reply.hang,
            cut=reply.cut,
        )

    def _refusal(self, headers: dict[str, str]) -> Reply | None:
        if headers.get("authorization") != f"Bearer {self.token}":
            return _error(401, "Bad credentials")
        if headers.get("accept") != "application/vnd.github+json":
            return _error(415, "Unsupported 'Accept' header")
        if headers.get("x-github-api-version") != "2022-11-28" or not headers.get("user-agent"):
            return _error(400, "Version or User-Agent is missing")
        if time.time() >= self.reset_at:
            self.remaining, self.reset_at = 5_000, time.time() + 3_600
        if self.remaining == 0:
            return _error(403, "API rate limit exceeded for user ID 1.")
        self.remaining -= 1
        return None

    def _route(self, path: str, query: dict[str, str]) -> Reply:  # noqa: PLR0911 - one for each path
        parts = path.strip("/").split("/")
        hosted = self._hosted(parts)
        if hosted is None:
            return _error(404, "Not Found")
        match parts[2:] if parts[0] == "repositories" else parts[3:]:
            case []:
                content = hosted.repository.as_json() | {"permissions": {"pull": True}, **hosted.extra}
                return _strict("item", query) or Reply(content=content)
            case ["issues"]:
                return self._list(hosted, "issues", path, query, self._once(hosted, "issues", query))
            case ["issues", "comments"]:
                return self._list(hosted, "comments", path, query, self._once(hosted, "comments", query))
            case ["issues", "events"]:
                return self._list(hosted, "events", path, query, self._once(hosted, "events", query))
            case ["issues", number] if number.isdecimal() and int(number) in hosted.issues:
                return _strict("item", query) or Reply(content=hosted.issues[int(number)])
            case ["issues", number, "comments"] if number.isdecimal() and int(number) in hosted.issues:
                found = [each for each in hosted.comments if each["issue_url"].endswith(f"/{number}")]
                return self._list(hosted, "of_issue", path, query, found)
            case ["issues", number, "events"] if number.isdecimal() and int(number) in hosted.issues:
                found = [each for each in hosted.events if each["number"] == int(number)]
                return self._list(hosted, "of_issue", path, query, found)
        return _error(404, "Not Found")

    def _once(self, hosted: Hosted, kind: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """Return the list in its order, sorted anew only when it has another length."""
        rest = tuple(sorted((name, value) for name, value in query.items() if name not in {"page", "after"}))
        sizes = (len(hosted.issues), len(hosted.comments), len(hosted.events))
        key = (hosted.repository.id, kind, rest, sizes)
        if key not in self._sorted:
            make = {"issues": _issues, "comments": _comments, "events": _events}[kind]
            self._sorted[key] = make(hosted, query)
        return self._sorted[key]

    def _hosted(self, parts: Sequence[str]) -> Hosted | None:
        if len(parts) >= 2 and parts[0] == "repositories":
            return next((each for each in self.hosted.values() if str(each.repository.id) == parts[1]), None)
        if len(parts) >= 3 and parts[0] == "repos":
            wanted = f"{parts[1]}/{parts[2]}".lower()
            return next((each for name, each in self.hosted.items() if name.lower() == wanted), None)
        return None

    def _list(
        self, hosted: Hosted, kind: str, path: str, query: dict[str, str], items: Sequence[dict[str, Any]]
    ) -> Reply:
        refused = _strict(kind, query)
        if refused is not None:
            return refused
        size = min(int(query.get("per_page", "30")), 100)
        cursor = kind == "issues" and self.cursors
        page = int(query.get("page", "1"))
        pages = max(-(-len(items) // size), 1)
        if kind == "events":
            pages = min(pages, self.events_pages)
            if page > pages:
                return _error(
                    422,
                    "In order to keep the API fast for everyone, pagination is limited for this resource.",
                )
        if cursor and "page" in query:
            return _error(422, "Pagination with the page parameter is not supported for large datasets")
        start = (page - 1) * size
        if cursor and "after" in query:
            after = base64.urlsafe_b64decode(query["after"]).decode()
            start = 1 + next(i for i, each in enumerate(items) if str(each["id"]) == after)
        found = items[start : start + size]
        links = {}
        if found and start + size < len(items) and (cursor or page < pages):
            token = base64.urlsafe_b64encode(str(found[-1]["id"]).encode()).decode()
            following = {"after": token} if cursor else {"page": str(page + 1)}
            links["next"] = following
            if not cursor:
                links["last"] = {"page": str(pages)}
        rest = {name: value for name, value in query.items() if name not in {"page", "after"}}
        shown = ", ".join(
            f'<{self.url}{self._by_id(path, hosted)}?{urlencode(rest | where)}>; rel="{rel}"'
            for rel, where in links.items()
        )
        if path.endswith("/events"):
            found = [_event(hosted, each, of_repository=kind == "events") for each in found]
        return Reply(content=found, headers={"Link": shown} if shown else {})

    def _by_id(self, path: str, hosted: Hosted) -> str:
        """Return the path as GitHub's own links give it: /repositories/ID/..."""
        parts = path.strip("/").split("/")
        if parts[0] == "repositories":
            return path
        return "/" + "/".join(["repositories", str(hosted.repository.id), *parts[3:]])


def _strict(kind: str, query: dict[str, str]) -> Reply | None:
    unknown = sorted(query.keys() - LISTS[kind])
    return _error(400, f"unknown parameters: {unknown}") if unknown else None


def _issues(hosted: Hosted, query: dict[str, str]) -> list[dict[str, Any]]:
    state, since = query.get("state", "open"), query.get("since", "")
    found = [
        each
        for each in hosted.issues.values()
        if state in {"all", each["state"]} and each["updated_at"] >= since
    ]
    return _sorted(found, query, "desc")


def _comments(hosted: Hosted, query: dict[str, str]) -> list[dict[str, Any]]:
    found = [each for each in hosted.comments if each["updated_at"] >= query.get("since", "")]
    return _sorted(found, query, "asc") if "sort" in query else found


def _sorted(found: list[dict[str, Any]], query: dict[str, str], default: str) -> list[dict[str, Any]]:
    key = {"created": "created_at", "updated": "updated_at"}[query.get("sort", "created")]
    return sorted(found, key=lambda each: each[key], reverse=query.get("direction", default) == "desc")


def _events(hosted: Hosted, _query: dict[str, str]) -> list[dict[str, Any]]:
    return sorted(hosted.events, key=lambda each: (each["created_at"], each["id"]), reverse=True)


def _event(hosted: Hosted, event: dict[str, Any], *, of_repository: bool) -> dict[str, Any]:
    shown = {name: value for name, value in event.items() if name != "number"}
    return shown | {"issue": hosted.issues.get(event["number"])} if of_repository else shown


def _error(status: int, message: str) -> Reply:
    return Reply(status=status, content={"message": message, "documentation_url": "https://docs.github.com"})


def _listen(github_server: GitHubServer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes

        def do_GET(self) -> None:
            reply = github_server.answer(
                self.path, {name.lower(): value for name, value in self.headers.items()}
            )
            if reply.hang:
                github_server.released.wait(30)
                self.close_connection = True
                return
            text = reply.content if isinstance(reply.content, str) else json.dumps(reply.content)
            body = text.encode()
            self.send_response_only(reply.status)
            moment = github_server.now
            self.send_header(
                "Date", format_datetime(moment, usegmt=True) if moment else self.date_time_string()
            )
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: reply.cut])
            if reply.cut is not None:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server
