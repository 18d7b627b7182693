"""GitHub's form for a new App and the exchange of its code on loopback, and a browser without a screen."""

import http.client
import json
import threading
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

__all__ = ["APP", "Browser", "ManifestGitHub", "Page"]

APP = {
    "id": 12345,
    "slug": "issuewire-acme",
    "name": "Issuewire acme",
    "html_url": "https://github.com/apps/issuewire-acme",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nzb1Y+/0=\n-----END RSA PRIVATE KEY-----\n",
    "webhook_secret": "whs-never-shown",
    "client_secret": "not-needed",
}


@dataclass(slots=True, kw_only=True)
class Page:
    """A page as a browser has it: its status, its text and its forms by action."""

    status: int
    html: str
    headers: dict[str, str]
    forms: dict[str, dict[str, str]] = field(default_factory=dict)


class Browser:
    """Requests one address after the other; redirects are followed."""

    def open(self, url: str, *, data: dict[str, str] | None = None, host: str | None = None) -> Page:
        """GET the address, or POST the data to it."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        headers = {"Host": host or parts.netloc}
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        body = None if data is None else urlencode(data)
        connection.request("GET" if data is None else "POST", target, body, headers)
        answer = connection.getresponse()
        text, found = answer.read().decode(), dict(answer.getheaders())
        connection.close()
        if answer.status in (302, 303):
            return self.open(found["Location"])
        parser = _Forms()
        parser.feed(text)
        return Page(status=answer.status, html=text, headers=found, forms=parser.forms)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._action = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = values["action"]
            self.forms[self._action] = {}
        elif tag == "input":
            self.forms[self._action][values["name"]] = values["value"]


class ManifestGitHub:
    """Takes manifests, sends the browser back with a code, and exchanges the code once for APP."""

    def __init__(self) -> None:
        self.manifests: dict[str, dict[str, Any]] = {}  # by the path of the form
        self.codes = {"code-1"}
        self.failures: list[int] = []  # statuses of the next exchanges
        self.exchanged = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def take(self, target: str, body: bytes) -> str:
        """Keep a manifest; return where the browser goes next."""
        url, form = urlsplit(target), parse_qs(body.decode())
        manifest = self.manifests[url.path] = json.loads(form["manifest"][0])
        query = {"code": "code-1", "state": parse_qs(url.query)["state"][0]}
        return f"{manifest['redirect_url']}?{urlencode(query)}"

    def exchange(self, target: str) -> tuple[int, Any]:
        """Answer an exchange."""
        self.exchanged += 1
        if self.failures:
            return self.failures.pop(0), {"message": "not now"}
        code = target.split("/")[2]
        if code not in self.codes:
            return 404, {"message": "Not Found"}
        self.codes.remove(code)
        return 201, APP


def _handler(github: ManifestGitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path.startswith("/app-manifests/"):
                status, answer = github.exchange(self.path)
                text = json.dumps(answer).encode()
                self.send_response(status)
            else:
                text = b""
                self.send_response(302)
                self.send_header("Location", github.take(self.path, body))
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    return Handler
