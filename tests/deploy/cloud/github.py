"""GitHub's API for webhooks: the local stand-in, whose hooks are answered by the functions of this cloud."""

import json

from werkzeug.datastructures import MultiDict
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from local.github.app import create_app
from tests.deploy.cloud.messages import Answer, Request
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State
from tests.deploy.manifest_github import APP

__all__ = ["github"]

github = Routes("api.github.com", is_google=False)


@github.on("POST", "/app-manifests/{code}/conversions")
def convert(_state: State, _request: Request, code: str) -> Answer:
    """Exchange the code of a new App for what is secret about it."""
    if code != "code-1":
        return Answer(status=404, body=b'{"message": "Not Found"}')
    return Answer(status=201, body=json.dumps(APP).encode())


@github.on("GET POST PATCH DELETE", "/{path*}")
def answer(state: State, request: Request, path: str) -> Answer:
    """Answer as the stand-in does. Raises LookupError for a route that it does not have."""
    environ = EnvironBuilder(
        f"/{path}",
        "https://api.github.com",
        method=request.method,
        query_string=MultiDict(request.lists),
        headers=request.headers,
        data=request.content,
    ).get_environ()
    response = Response.from_app(create_app(state.github), environ, buffered=True)
    if "X-Stand-In" in response.headers:
        raise LookupError(request.line)
    return Answer(status=response.status_code, body=response.get_data(), headers=dict(response.headers))
