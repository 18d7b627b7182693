"""Who may use the playground."""

import pytest
from werkzeug.datastructures import Headers

from local.console.access import MAX_BODY, Forbidden, check, security_headers

PORT = 8000
OWN = f"http://127.0.0.1:{PORT}"


def headers(**values: str | None) -> Headers:
    """Return the headers of the page's own POST with these changed; None leaves one out."""
    own = {
        "Host": f"127.0.0.1:{PORT}",
        "Origin": OWN,
        "Content-Type": "application/json",
        "Content-Length": "2",
        "Sec-Fetch-Site": "same-origin",
    }
    changed = {name.replace("_", "-"): value for name, value in values.items()}
    return Headers([(name, value) for name, value in {**own, **changed}.items() if value is not None])


def refusal(method: str = "POST", path: str = "/api/break", **values: str | None) -> int:
    """Return the status of the refusal, 200 without one."""
    try:
        check(method, path, headers(**values), PORT)
    except Forbidden as forbidden:
        return forbidden.status
    return 200


def test_the_page_may_read_and_act() -> None:
    """The page's own requests are carried out, under both names of this machine."""
    local = f"localhost:{PORT}"
    assert refusal("GET", "/api/state", Origin=None) == 200
    assert refusal() == 200
    assert refusal(Host=local, Origin=f"http://{local}") == 200
    assert refusal(Content_Type="application/json; charset=utf-8") == 200


def test_a_program_may_act() -> None:
    """A request without an origin comes from no page of another site: browsers send one with every POST."""
    assert refusal(Origin=None, Sec_Fetch_Site=None) == 200


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:8001",
        "evil.example:8000",
        "127.0.0.1.evil.example:8000",
        "localhost.:8000",
        "127.0.0.1:8000, evil.example",
        "0.0.0.0:8000",
        "[::1]:8000",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_name_of_this_machine_is_refused(method: str, host: str | None) -> None:
    """A site whose name leads to 127.0.0.1 shows its own name in Host, and neither reads nor acts."""
    assert refusal(method, "/api/state", Host=host, Origin=host and f"http://{host}") == 403


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "http://localhost:8000",
        "http://127.0.0.1",
        "http://127.0.0.1:3000",
        "https://127.0.0.1:8000",
        "http://127.0.0.1:8000.evil.example",
        "http://127.0.0.1:8000/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_is_refused(method: str, origin: str) -> None:
    """Only the page's own origin passes, also not another port of this machine or a sandboxed frame."""
    assert refusal(method, Origin=origin) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "unheard-of"])
def test_a_request_that_another_site_causes_is_refused(site: str) -> None:
    """What the browser calls another site's request is refused without an Origin too, as of an image."""
    assert refusal("GET", "/api/state", Origin=None, Sec_Fetch_Site=site) == 403
    assert refusal("POST", Origin=None, Sec_Fetch_Site=site) == 403


def test_a_link_leads_to_the_page_alone() -> None:
    """A link on another site opens the page in a tab; it cannot act, nor show the page in a frame."""
    link = {"Origin": None, "Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert refusal("GET", "/", **link, Sec_Fetch_Dest="document") == 200
    assert refusal("GET", "/", **link, Sec_Fetch_Dest="iframe") == 403
    assert refusal("GET", "/api/state", **link, Sec_Fetch_Dest="document") == 403
    assert refusal("POST", "/", **link, Sec_Fetch_Dest="document") == 403


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_form_cannot_act(kind: str | None) -> None:
    """The types that a form of another site can send are refused."""
    assert refusal(Content_Type=kind) == 415


@pytest.mark.parametrize("length", [None, "", "-1", "x", "²", "1e3"])
def test_a_body_needs_a_length(length: str | None) -> None:
    """A POST says how long its body is."""
    assert refusal(Content_Length=length) == 411


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "9" * 5_000, "0" * 20 + "9" * 9])
def test_a_long_body_is_refused(length: str) -> None:
    """A body over the limit is refused before it is read."""
    assert refusal(Content_Length=length) == 413
    assert refusal(Content_Length=str(MAX_BODY)) == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_no_other_method_is_answered(method: str) -> None:
    """A preflight request of another site gets no permission."""
    assert refusal(method) == 405


def test_the_page_loads_from_here_alone() -> None:
    """The page runs its own scripts, loads nothing from another host, and cannot be framed."""
    found = security_headers("/")
    policy = dict(part.strip().partition(" ")[::2] for part in found["Content-Security-Policy"].split(";"))
    assert {name for name, value in policy.items() if "'self'" in value} == {
        "script-src", "style-src", "img-src", "connect-src", "frame-src",
    }  # fmt: skip
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
    assert "unsafe" not in found["Content-Security-Policy"]
    assert (found["X-Frame-Options"], found["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert "Access-Control-Allow-Origin" not in found


def test_the_report_runs_no_script() -> None:
    """The report has its own style and may be framed by the page; no script runs in it."""
    found = security_headers("/report")
    assert "script" not in found["Content-Security-Policy"]
    assert found["Content-Security-Policy"].startswith("sandbox ")
    assert "frame-ancestors 'self'" in found["Content-Security-Policy"]
    assert found["X-Frame-Options"] == "SAMEORIGIN"
