"""Which handler answers a request: by method, host and a path template with named parts."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.deploy.cloud.messages import ApiError, Request
from tests.deploy.cloud.state import State

__all__ = ["Handler", "Match", "Routes"]

# Takes the state, the request and the template's named parts; returns a JSON value or an Answer.
type Handler = Callable[..., Any]
type Render = Callable[[ApiError], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A handler with its parts of the path, and the API that must be enabled."""

    handler: Handler
    parts: dict[str, str]
    api: str
    render: Render


def google_error(error: ApiError) -> dict[str, Any]:
    """Return an error in the form of Google's APIs."""
    body = {"code": error.status, "message": error.message, "status": error.reason}
    if error.details:
        body["details"] = error.details
    return {"error": body}


class Routes:
    """One API's table.

    hosts: exact names, in which `REGION` matches any region and `HOST` any name. api: the service that must
    be enabled in the project, empty if none must be. render: the form of an error. is_google: a request
    needs the project's access token.
    """

    def __init__(
        self, *hosts: str, api: str = "", render: Render = google_error, is_google: bool = True
    ) -> None:
        self.api = api
        self.render = render
        self.is_google = is_google
        self._hosts = [
            re.compile(re.escape(host).replace("REGION", r"[a-z]+-[a-z]+\d").replace("HOST", r"[a-z0-9.-]+"))
            for host in hosts
        ]
        self._table: list[tuple[str, re.Pattern[str], Handler]] = []

    def on(self, methods: str, template: str) -> Callable[[Handler], Handler]:
        """Register a handler: `{name}` is one part of a path, without slash and colon, `{name*}` any rest."""
        pattern = re.compile("".join(_pieces(template)))

        def register(handler: Handler) -> Handler:
            self._table.extend((method, pattern, handler) for method in methods.split())
            return handler

        return register

    def serves(self, host: str) -> bool:
        """Return whether the API has this host."""
        return any(pattern.fullmatch(host) for pattern in self._hosts)

    def find(self, request: Request) -> Match | None:
        """Return the handler of a request; None without one."""
        for method, pattern, handler in self._table:
            if method == request.method and (match := pattern.fullmatch(request.path)):
                return Match(handler=handler, parts=match.groupdict(), api=self.api, render=self.render)
        return None


def check_access(state: State, request: Request, match: Match) -> None:
    """Refuse a wrong token, another project, and an API that is not enabled."""
    if request.headers.get("authorization") != f"Bearer {state.access_token}":
        raise ApiError(401, "Request had invalid authentication credentials.")
    project = match.parts.pop("project", state.project)
    if project not in (state.project, state.number, "-"):
        raise ApiError(403, f"Permission denied on resource project {project}.")
    if match.api and match.api not in state.enabled:
        details = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com",
            "metadata": {"consumer": f"projects/{state.number}", "service": match.api},
        }
        raise ApiError(
            403,
            f"{match.api} has not been used in project {state.number} before or it is disabled. Enable it by"
            f" visiting https://console.developers.google.com/apis/api/{match.api}/overview?project={state.number}"
            " then retry.",
            details=[details],
        )


def _pieces(template: str) -> Iterator[str]:
    for piece in re.split(r"(\{\w+\*?\})", template):
        if not piece.startswith("{"):
            yield re.escape(piece)
        elif piece.endswith("*}"):
            yield f"(?P<{piece[1:-2]}>.+)"
        else:
            yield f"(?P<{piece[1:-1]}>[^/:]+)"
