"""The playground of the running make serve: its API for the commands."""

from http import HTTPStatus
from typing import Any, Self

import click
import requests

from ops import local_stack
from ops.cli import http_errors

TIMEOUT_SECONDS = 10.0

type Json = dict[str, Any]


class Playground:
    """The API at an address. An answer that is not the playground's raises ClickException."""

    def __init__(self, url: str) -> None:
        self._url = url

    @classmethod
    def running(cls) -> Self:
        """Return that of the running make serve. Raises ClickException if there is none."""
        stack = local_stack.find()
        if stack is None or not stack.console_url:
            raise click.ClickException("make serve is not running; start it in another terminal")
        return cls(stack.console_url)

    def get(self, path: str) -> Json | None:
        """Return the answer, None if the playground does not know what the path names."""
        status, body = self._call("GET", path)
        if status == HTTPStatus.NOT_FOUND and "error" in body:
            return None
        return self._checked(status, body)

    def post(self, path: str, body: Json) -> Json:
        """Return the answer. What is refused raises ClickException with the playground's sentence."""
        return self._checked(*self._call("POST", path, body))

    def _call(self, method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
        url = f"{self._url.rstrip('/')}/{path}"
        with http_errors(url, TIMEOUT_SECONDS), requests.Session() as session:
            session.trust_env = False  # no proxy reaches this machine
            answer = session.request(method, url, json=body, timeout=TIMEOUT_SECONDS, allow_redirects=False)
            found = answer.json()
        return answer.status_code, found if isinstance(found, dict) else {}

    def _checked(self, status: int, body: Json) -> Json:
        if status == HTTPStatus.OK and "error" not in body:
            return body
        raise click.ClickException(str(body.get("error") or f"the playground answered {status}"))
