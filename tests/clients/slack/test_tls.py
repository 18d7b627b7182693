"""The SDK's calls trust the system's certificate authorities, without reading all of them."""

import os
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from clients.slack import sdk, tls
from clients.slack.client import Slack
from tests.clients.slack.authority import Authority
from tests.clients.slack.support import CHANNEL, TOKEN, a_message, error_of

OURS, OTHER = Authority("issuewire test authority"), Authority("another authority")
HERE = "127.0.0.1"
SETTINGS = ("SSL_CERT_FILE", "SSL_CERT_DIR")
NO_ISSUER, EXPIRED, WRONG_ADDRESS = 20, 10, 64  # X509_V_ERR_... of OpenSSL

type Serve = Callable[[Path], str]
type SystemHas = Callable[[Path, Path], ssl.SSLContext]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Confirm the post."""
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"ok": true, "ts": "1700000000.000001"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class _Server(HTTPServer):
    def handle_error(self, *_: object) -> None:
        """Print nothing when a client ends the handshake."""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a TLS server with a certificate, and returns its URL."""
    servers: list[HTTPServer] = []

    def start(certificate: Path) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server = _Server((HERE, 0), _Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"https://{HERE}:{server.server_port}/api/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def system_has(monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemHas]:
    """Return a function that gives the SDK a context as on a system with this bundle and directory.

    OpenSSL's own defaults are compiled in. It reads the process's environment, of which os.environ shows
    nothing here: what is set there with putenv is a default for it, and no setting for the product.
    """
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)

    def use(bundle: Path, directory: Path) -> ssl.SSLContext:
        cafile, capath = str(bundle), str(directory)
        real = ssl.get_default_verify_paths()
        paths = real._replace(
            cafile=cafile if bundle.is_file() else None, capath=capath if directory.is_dir() else None
        )
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
        for name, value in zip(SETTINGS, (cafile, capath), strict=True):
            if name not in os.environ:
                os.putenv(name, value)
        context = tls.context()
        monkeypatch.setattr(sdk, "_TLS", context)
        return context

    yield use
    for name in SETTINGS:
        os.unsetenv(name)


def bundle(folder: Path, *authorities: Authority) -> Path:
    """Return a bundle of these authorities."""
    file = folder / "bundle.pem"
    file.write_bytes(b"".join(authority.pem for authority in authorities))
    return file


def hashed(folder: Path, *authorities: Authority) -> Path:
    """Return a hashed directory of these authorities, beside a file that OpenSSL does not look at."""
    directory = folder / "certs"
    directory.mkdir()
    (directory / "ca-certificates.crt").write_bytes(b"")
    for authority in authorities:
        (directory / authority.hashed_name).write_bytes(authority.pem)
    return directory


def is_lazy(context: ssl.SSLContext) -> bool:
    """Return whether no certificate has been read."""
    return context.cert_store_stats()["x509"] == 0


def post(url: str) -> str:
    """Post through the SDK."""
    return Slack(lambda: TOKEN, url).post(CHANNEL, a_message())


def verify_code(url: str) -> int:
    """Return OpenSSL's code for why the SDK's call trusts no certificate of the server."""
    error = error_of(lambda: post(url))
    reason = getattr(error.__cause__, "reason", None)
    assert error.reason == "slack_unreachable"
    assert isinstance(reason, ssl.SSLCertVerificationError)
    return reason.verify_code


def test_a_hashed_directory_is_searched_instead_of_the_bundle_being_read(
    tmp_path: Path, serve: Serve, system_has: SystemHas
) -> None:
    """With a hashed directory no certificate is read until a server needs it, and then that one is."""
    context = system_has(bundle(tmp_path, OURS, OTHER), hashed(tmp_path, OURS, OTHER))
    assert is_lazy(context)
    assert post(serve(OURS.sign(tmp_path, HERE)))
    assert [dict(*subject)["commonName"] for subject in _subjects(context)] == ["issuewire test authority"]


@pytest.mark.parametrize("lazy", [True, False])
def test_what_does_not_verify_is_refused(
    tmp_path: Path, serve: Serve, system_has: SystemHas, *, lazy: bool
) -> None:
    """An unknown authority, another host's certificate and an expired one are refused, however it is read."""
    directory = hashed(tmp_path, *([OURS] if lazy else []))
    assert is_lazy(system_has(bundle(tmp_path, OURS), directory)) is lazy
    assert verify_code(serve(OTHER.sign(tmp_path, HERE))) == NO_ISSUER
    assert verify_code(serve(OURS.sign(tmp_path, "127.0.0.2"))) == WRONG_ADDRESS
    assert verify_code(serve(OURS.sign(tmp_path, HERE, expired=True))) == EXPIRED
    assert post(serve(OURS.sign(tmp_path, HERE)))


def test_a_name_that_hides_another_authoritys_key_is_refused(
    tmp_path: Path, serve: Serve, system_has: SystemHas
) -> None:
    """An authority that merely has the name of a trusted one is unknown."""
    system_has(bundle(tmp_path, OURS), hashed(tmp_path, OURS))
    assert verify_code(serve(Authority("issuewire test authority").sign(tmp_path, HERE))) == NO_ISSUER


@pytest.mark.parametrize("directory", ["missing", "empty", "no hashed name", "partial"])
def test_the_bundle_is_read_unless_the_directory_has_all_of_it(
    tmp_path: Path, serve: Serve, system_has: SystemHas, directory: str
) -> None:
    """Without a hashed directory, or with one that lacks authorities of the bundle, the bundle counts."""
    place = tmp_path / "certs"
    if directory == "empty":
        place.mkdir()
    elif directory != "missing":
        hashed(tmp_path, *([OTHER] if directory == "partial" else []))
    assert not is_lazy(system_has(bundle(tmp_path, OURS, OTHER), place))
    assert post(serve(OURS.sign(tmp_path, HERE)))


def test_a_hashed_directory_without_a_bundle_is_enough(
    tmp_path: Path, serve: Serve, system_has: SystemHas
) -> None:
    """On a system that has no bundle, the hashed directory is searched."""
    assert is_lazy(system_has(tmp_path / "none.pem", hashed(tmp_path, OURS)))
    assert post(serve(OURS.sign(tmp_path, HERE)))


@pytest.mark.parametrize("setting", SETTINGS)
def test_an_authority_of_ones_own_counts(
    tmp_path: Path, serve: Serve, system_has: SystemHas, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """An authority that SSL_CERT_FILE or SSL_CERT_DIR names is trusted beside the system's other place."""
    own, system = tmp_path / "own", tmp_path / "system"
    own.mkdir()
    system.mkdir()
    if setting == "SSL_CERT_FILE":
        places = bundle(own, OURS), hashed(system, OTHER)
        monkeypatch.setenv(setting, str(places[0]))
    else:
        places = bundle(system, OTHER), hashed(own, OURS)
        monkeypatch.setenv(setting, str(places[1]))
    system_has(*places)
    assert post(serve(OURS.sign(tmp_path, HERE)))
    assert post(serve(OTHER.sign(tmp_path, HERE)))


def _subjects(context: ssl.SSLContext) -> list[tuple[tuple[tuple[str, str], ...], ...]]:
    return [certificate["subject"] for certificate in context.get_ca_certs()]  # type: ignore[misc]
