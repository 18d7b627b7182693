"""Who may use the playground: a page of its own on this machine, or a program that is no browser (pure).

The server listens on loopback only. Another site in the same browser could still send requests here, by a
name of its own that leads to 127.0.0.1 or from its own page; each rule below stops one such way.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

MAX_BODY: Final = 256 * 1024  # bytes of a POST
JSON: Final = "application/json"

_NAMES = ("127.0.0.1", "localhost")
_OWN = {None, "same-origin", "none"}  # none: typed by a person; None: not a browser, or an old one
_NOTHING_ELSE = "base-uri 'none'; form-action 'none'; "
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    f"frame-src 'self'; {_NOTHING_ELSE}frame-ancestors 'none'"
)
# The report is one file with its own style sheet. Its scripts, if it had any, would not run.
_REPORT_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    f"img-src data:; {_NOTHING_ELSE}frame-ancestors 'self'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Forbidden(Exception):
    """The request is refused with this status; the text says by which rule."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


def check(method: str, path: str, headers: Mapping[str, str], port: int) -> None:
    """Return if the request may be carried out. Raises Forbidden.

    `headers` finds a name in any case, as werkzeug's do.
    """
    host = headers.get("Host", "").lower()
    if host not in {f"{name}:{port}" for name in _NAMES} | ({*_NAMES} if port == 80 else set()):
        raise Forbidden(HTTPStatus.FORBIDDEN, f"the address must be http://127.0.0.1:{port}/")
    if method not in {"GET", "HEAD", "POST"}:
        raise Forbidden(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} is not answered here")
    if headers.get("Sec-Fetch-Site") not in _OWN and not _is_link(method, path, headers):
        raise Forbidden(HTTPStatus.FORBIDDEN, "another site may not use the playground")
    origin = headers.get("Origin")
    if origin is not None and (urlsplit(origin).scheme, origin.lower()) != ("http", f"http://{host}"):
        raise Forbidden(HTTPStatus.FORBIDDEN, "another site may not use the playground")
    if method == "POST":
        _check_body(headers)


def security_headers(path: str) -> dict[str, str]:
    """Return the headers that keep a browser from loading, running or framing anything else."""
    is_report = path == "/report"
    return {
        "Content-Security-Policy": _REPORT_POLICY if is_report else _PAGE_POLICY,
        "X-Frame-Options": "SAMEORIGIN" if is_report else "DENY",
        **_HEADERS,
    }


def _is_link(method: str, path: str, headers: Mapping[str, str]) -> bool:
    """Return whether a person follows another site's link to the page, which changes nothing."""
    kind = headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")
    return method == "GET" and path == "/" and kind == ("navigate", "document")


def _check_body(headers: Mapping[str, str]) -> None:
    """Refuse what a form of another site could send, and a body without a bounded length."""
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() != JSON:
        raise Forbidden(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the Content-Type must be {JSON}")
    length = headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit()):
        raise Forbidden(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is needed")
    if len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
        raise Forbidden(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body may have {MAX_BODY} bytes")
