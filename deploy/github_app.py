"""Have GitHub create a GitHub App from a manifest, and print GitHub's answer as JSON: see --help.

A page on 127.0.0.1 posts the manifest to GitHub's form. GitHub sends the browser back there with a code,
which is exchanged for the App's id, private key and webhook secret. None of these is written to disk.
https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest

Standard library, Python 3.8 or newer.
"""

from __future__ import annotations

import argparse
import getpass
import hmac
import json
import os
import re
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from deploy import app_page
from deploy.app_manifest import Failed, exchange, form_url, manifest

_CODE = re.compile(r"[A-Za-z0-9_-]{1,200}")
TIMEOUT = 30  # seconds that a browser may take for a request


class Registration:
    """The page of one run: it takes one code, and only with the state that it gave to GitHub."""

    def __init__(self, api_url: str, say: Callable[[str], None]) -> None:
        self._api_url = api_url
        self._say = say
        self._token, self._state = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._lock = threading.Lock()
        self._is_used = False
        self._ended = threading.Event()
        self._answer: dict[str, Any] | None = None
        self._problem = ""
        self._page = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/{self._token}/"
        self.redirect_url = f"{self.url}created"

    def run(
        self, seconds: float, form: str, described: Mapping[str, Any], opened: Callable[[], None]
    ) -> dict[str, Any]:
        """Serve the page until the App exists; return GitHub's answer. Raises Failed."""
        self._page = app_page.start(f"{form}?state={self._state}", described)
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        thread.start()
        try:
            opened()
            if not self._ended.wait(seconds):
                minutes = round(seconds / 60)
                raise Failed(
                    f"no new App within {minutes} minutes; if GitHub shows one, delete it, and run again"
                )
        finally:
            self._server.shutdown()
            self._server.server_close()
        if self._answer is None:
            raise Failed(self._problem)
        return self._answer

    def answer(self, method: str, target: str, host: str) -> app_page.Answer:
        """Return what the browser is shown for a request."""
        url = urlsplit(target)
        # Another name that leads to 127.0.0.1 would let a foreign page read this one.
        if host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            return app_page.refused(421, "This page has another address.")
        path = url.path[len(self._token) + 1 :] if url.path.startswith(f"/{self._token}/") else ""
        if (method, path) == ("GET", "/"):
            return app_page.used() if self._is_used else app_page.Answer(200, self._page)
        if (method, path) == ("POST", "/cancel"):
            return self._cancelled()
        if (method, path) == ("GET", "/created"):
            return self._created({name: values[0] for name, values in parse_qs(url.query).items()})
        return app_page.refused(404, "There is nothing at this address.")

    def end(self) -> None:
        """End the run if an answer or a problem is there."""
        if self._answer is not None or self._problem:
            self._ended.set()

    def _cancelled(self) -> app_page.Answer:
        with self._lock:
            if self._is_used:
                return app_page.used()
            self._is_used, self._problem = True, "cancelled on the page"
        return app_page.cancelled()

    def _created(self, query: Mapping[str, str]) -> app_page.Answer:
        if not hmac.compare_digest(query.get("state", "").encode(), self._state.encode()):
            self._say("    An answer that does not belong to this run was refused; still waiting for GitHub.")
            return app_page.refused(400, "This answer does not belong to the run of deploy.sh that waits.")
        if not _CODE.fullmatch(query.get("code", "")):
            self._say("    GitHub sent no code; still waiting.")
            return app_page.refused(400, "GitHub sent no code. Go back to its form.")
        with self._lock:
            if self._is_used:
                return app_page.used()
            self._is_used = True
        try:
            self._answer = exchange(self._api_url, query["code"])
        except Failed as error:
            self._problem = str(error)
            return app_page.failed(self._problem)
        return app_page.created(self._answer["name"])


def _handler(registration: Registration) -> type:
    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT
        server_version, sys_version = "issuewire", ""

        def do_GET(self) -> None:
            self._reply("GET")

        def do_POST(self) -> None:
            self._reply("POST")

        def log_message(self, *_: Any) -> None:
            """Log nothing: the address holds the code."""

        def _reply(self, method: str) -> None:
            answer = registration.answer(method, self.path, self.headers.get("Host", ""))
            body = answer.html.encode()
            try:
                self.send_response(answer.status)
                for name, value in app_page.HEADERS.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            finally:
                registration.end()

    return Handler


def can_open_browser(environment: Mapping[str, str], platform: str) -> bool:
    """Return whether a browser of this machine is likely one that the operator sees."""
    if environment.get("BROWSER"):
        return True
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return False
    return platform in ("darwin", "win32") or bool(
        environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    )


def invite(
    registration: Registration, seconds: float, say: Callable[[str], None], environment: Mapping[str, str]
) -> None:
    """Say where the page is, and open it if that is possible."""
    port, here = registration.port, f"{getpass.getuser()}@{socket.gethostname()}"
    say(f"    Open this page in a browser in which you are signed in to GitHub: {registration.url}")
    if can_open_browser(environment, sys.platform):
        # Some browsers keep the call until they are closed.
        threading.Thread(target=webbrowser.open, args=(registration.url,), daemon=True).start()
    else:
        say(f"    From another machine, first: ssh -L {port}:127.0.0.1:{port} {here}")
    say(f"    It waits for {round(seconds / 60)} minutes; Ctrl-C ends it.")


def main(arguments: argparse.Namespace, say: Callable[[str], None]) -> str:
    """Return GitHub's answer as JSON. Raises Failed."""
    registration = Registration(arguments.api_url, say)
    described = manifest(
        name=arguments.name,
        homepage=arguments.homepage,
        webhook_url=arguments.webhook_url,
        events=arguments.events,
        redirect_url=registration.redirect_url,
    )
    form = form_url(arguments.github_url, arguments.organization)
    seconds = arguments.seconds
    return json.dumps(
        registration.run(seconds, form, described, lambda: invite(registration, seconds, say, os.environ))
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Have GitHub create a GitHub App, and print its answer as JSON."
    )
    for option in ("github-url", "api-url", "name", "homepage", "webhook-url", "events"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--organization", default="")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--messages", type=int, default=2, help="the descriptor for what the operator reads")
    given = parser.parse_args()
    # A browser that is started here must write neither into the answer nor over the messages.
    written, messages = os.dup(1), os.dup(given.messages)
    null = os.open(os.devnull, os.O_WRONLY)
    for number in {1, 2, given.messages}:
        os.dup2(null, number)
    with os.fdopen(written, "w") as output, os.fdopen(messages, "w", buffering=1) as terminal:
        try:
            output.write(main(given, lambda text: print(text, file=terminal)))
        except Failed as error:
            print(f"deploy.sh: {error}", file=terminal)
            sys.exit(1)
