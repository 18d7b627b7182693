"""A hostile request gets no 5xx and no traceback, and is not published."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.functions.ingest.rig import SECRET, IngestRig, headers, sign
from tests.support.pubsub import TIMEOUT

MIB = 1024 * 1024
BODY = b'{"action": "attack", "repository": {"full_name": "acme/app"}}'
CHUNKED = b"Transfer-Encoding: chunked"


@pytest.fixture(autouse=True)
def unharmed(rig: IngestRig) -> Iterator[None]:
    """After every attack nothing is published, no traceback is logged, and the next delivery is accepted."""
    yield
    assert rig.published_since() == []
    assert "Traceback" not in rig.function.output()


def request(
    body: bytes = BODY,
    *extra: bytes,
    method: bytes = b"POST",
    target: bytes = b"/",
    length: int | None = -1,
    version: bytes = b"HTTP/1.1",
    **changes: str | None,
) -> bytes:
    """Return the bytes of a request. Length None sends no Content-Length."""
    lines = [f"{name}: {value}".encode("latin-1") for name, value in headers(body, **changes).items()]
    lines += [b"Host: ingest", b"Connection: close", *extra]
    if length is not None:
        lines.append(b"Content-Length: %d" % (len(body) if length == -1 else length))
    return b"%s %s %s\r\n" % (method, target, version) + b"\r\n".join(lines) + b"\r\n\r\n" + body


def statuses(answer: bytes) -> list[int]:
    """Return the status of every answer on the connection."""
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


def expect(rig: IngestRig, sent: bytes, *allowed: int) -> None:
    """Send, and assert that the one answer has an allowed status and shows nothing internal."""
    answer = rig.raw(sent)
    assert len(statuses(answer)) == 1, answer
    assert statuses(answer)[0] in allowed, answer
    for internal in (b"Traceback", b'File "', SECRET, sign(BODY).encode(), b"attack"):
        assert internal not in answer


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"])
def test_every_method_but_post_is_refused(rig: IngestRig, method: str) -> None:
    """Every method but POST is answered 405 with Allow: POST, signed or not."""
    answer = rig.raw(request(method=method.encode()))
    assert statuses(answer) == [405]
    assert b"\r\nallow: POST\r\n" in answer
    if method == "HEAD":
        assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("target", ["/robots.txt", "/favicon.ico"])
def test_the_frameworks_own_paths(rig: IngestRig, target: str) -> None:
    """The two paths that the framework keeps for itself do not lead to the function."""
    expect(rig, request(target=target.encode()), 404)


GOOD = sign(BODY)
SIGNATURES = {
    "missing": None,
    "empty": "",
    "blank": " ",
    "no digest": "sha256=",
    "no name": GOOD[7:],
    "upper case": GOOD.upper(),
    "upper case name": "SHA256=" + GOOD[7:],
    "upper case digest": "sha256=" + GOOD[7:].upper(),
    "sha1": "sha1=" + "a" * 40,
    "sha512": "sha512=" + "a" * 128,
    "twice in one": f"{GOOD}, {GOOD}",
    "non-ASCII": GOOD[:-1] + "é",
    "wrong secret": sign(BODY, b"another secret"),
    "empty secret": sign(BODY, b""),
    "of another body": sign(BODY + b" "),
    "too long": GOOD + "0",
    "very long": "sha256=" + "0" * 4_000,
    "zeros": "sha256=" + "0" * 64,
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_bad_signature_gets_401(rig: IngestRig, name: str) -> None:
    """A missing, a malformed and a wrong signature get the same 401."""
    answer = rig.raw(request(X_Hub_Signature_256=SIGNATURES[name]))
    assert statuses(answer) == [401]
    assert answer.endswith(b'{"error":"signature","message":"X-Hub-Signature-256 is missing or wrong."}\n')


@pytest.mark.parametrize(
    "lines",
    [
        [f"X-Hub-Signature-256: {GOOD}", f"X-Hub-Signature-256: {GOOD}"],
        [f"X-Hub-Signature-256: {GOOD}", "X-Hub-Signature-256: sha256=0"],
        [f"X_Hub_Signature_256: {GOOD}"],
        [f"X-Hub-Signature: sha256={GOOD[7:]}"],
        ["X-Hub-Signature-256: sha256=\xff\xfe"],
    ],
    ids=["twice", "two kinds", "underscores", "old name", "not UTF-8"],
)
def test_the_signature_is_one_header_line(rig: IngestRig, lines: list[str]) -> None:
    """A signature is accepted only as one header line of the right name."""
    extra = [line.encode("latin-1") for line in lines]
    expect(rig, request(BODY, *extra, X_Hub_Signature_256=None), 401)


@pytest.mark.parametrize("name", ["X-GitHub-Event", "X-GitHub-Delivery"])
@pytest.mark.parametrize("value", ["", " ", "a b", "é", "a" * 200, "a,b", "../../etc", "{}", "-", "\t"])
def test_a_malformed_event_or_id_is_refused(rig: IngestRig, name: str, value: str) -> None:
    """A malformed event or delivery id is refused, even if the body is signed."""
    expect(rig, request(**{name.replace("-", "_"): value}), 400)


@pytest.mark.parametrize("name", ["X-GitHub-Event", "X-GitHub-Delivery"])
def test_a_repeated_or_misspelt_header_is_refused(rig: IngestRig, name: str) -> None:
    """Two events or two ids in one request are refused, and an underscore does not count as a dash."""
    expect(rig, request(BODY, f"{name}: push".encode()), 400)
    underscored = name.replace("-", "_")
    expect(rig, request(BODY, f"{underscored}: push".encode(), **{underscored: None}), 400)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{}\x00",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=lambda body: repr(body[:16]),
)
def test_a_signed_body_must_be_a_json_object(rig: IngestRig, body: bytes) -> None:
    """A signed body that is not a JSON object is refused."""
    expect(rig, request(body), 400)


@pytest.mark.parametrize(
    "form", [b"", b"a=b", b"payload={}&payload={}", b"payload=[]", b"payload=%ff", b"payload"]
)
def test_a_signed_form_must_contain_a_json_object(rig: IngestRig, form: bytes) -> None:
    """A signed form without one JSON object in `payload` is refused, whatever charset it declares."""
    for media_type in (
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-16",
    ):
        expect(rig, request(form, Content_Type=media_type), 400)


@pytest.mark.parametrize(
    "media_type",
    [None, "", "text/plain", "application/json, text/plain", "multipart/form-data; boundary=x", "é"],
)
def test_other_media_types_are_refused(rig: IngestRig, media_type: str | None) -> None:
    """Another content type is refused, and the answer names the setting to change."""
    answer = rig.raw(request(Content_Type=media_type))
    assert statuses(answer) == [415]
    assert b"set Content type to application/json" in answer


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip"])
def test_a_packed_body_is_refused(rig: IngestRig, encoding: str) -> None:
    """A body with a content encoding is refused."""
    expect(rig, request(Content_Encoding=encoding), 415)


@pytest.mark.parametrize(
    "framing",
    [
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"-1\r\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcdef\r\n0\r\n\r\n",
        b"3\nabc\n0\n\n",
        b"f" * 30 + b"\r\nabc",
        b"1" * 20_000,
        b"0\r\nno trailer\r\n\r\n",
    ],
    ids=lambda framing: repr(framing[:20]),
)
def test_broken_chunks_are_refused(rig: IngestRig, framing: bytes) -> None:
    """A chunked body that is wrongly framed is refused."""
    head = request(b"", CHUNKED, length=None)
    expect(rig, head + framing, 400)


@pytest.mark.parametrize("framing", [b"", b"ff\r\nabc", b"3\r\nabc\r\n", b"3\r\nabc\r\n0\r\n"])
def test_a_chunked_body_that_ends_early_is_dropped(rig: IngestRig, framing: bytes) -> None:
    """A chunked body whose sender ends the connection early gets no 2xx."""
    head = request(b"", CHUNKED, length=None)
    assert statuses(rig.raw(head + framing, ends=True)) in ([], [400])


def test_a_chunk_extension_changes_nothing(rig: IngestRig) -> None:
    """What follows the size of a chunk is not read: the signature is checked over the chunks alone."""
    expect(rig, request(b"", CHUNKED, length=None) + b"3;\x00\r\nabc\r\n0\r\n\r\n", 400, 401)


def test_whole_chunks_are_read(rig: IngestRig) -> None:
    """A chunked body is read, and its signature checked, like any other."""
    framing = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    expect(rig, request(b"", CHUNKED, length=None, X_Hub_Signature_256=sign(BODY, b"x")) + framing, 401)


@pytest.mark.parametrize("missing", [1, 1000, 20 * MIB])
def test_a_body_cut_short_is_refused(rig: IngestRig, missing: int) -> None:
    """A signed body that ends before its Content-Length gets no 2xx."""
    assert statuses(rig.raw(request(length=len(BODY) + missing), ends=True)) in ([], [400])


@pytest.mark.parametrize("value", ["-1", "+5", "abc", "5, 5", "1e3", "0x5", "\xb2", "5 5"])
def test_a_malformed_length_is_refused(rig: IngestRig, value: str) -> None:
    """A Content-Length that is not a number is refused. Of a repeated one that many bytes are the body."""
    expect(
        rig,
        request(BODY, f"Content-Length: {value}".encode("latin-1"), length=None),
        400,
        *([401] if value == "5, 5" else []),
    )


def test_two_framings_are_refused(rig: IngestRig) -> None:
    """A request with both a length and chunks is refused: two servers could read it differently."""
    expect(rig, request(b"0\r\n\r\n", CHUNKED), 400)


@pytest.mark.parametrize("length", [25 * MIB + 1, 60 * MIB, 10**30])
def test_an_announced_size_over_the_cap_is_refused(rig: IngestRig, length: int) -> None:
    """A body announced as over 25 MiB gets 413, before its media type and signature are checked."""
    status = 413 if length < 10**20 else 400  # the server takes no length of more than 20 digits
    expect(rig, request(length=length, Content_Type=None, X_Hub_Signature_256=None), status)


def test_a_request_inside_a_body_is_not_read(rig: IngestRig) -> None:
    """A body is never read as the next request on the connection."""
    inner = request()
    for method in (b"GET", b"POST"):
        outer = request(inner, method=method, X_Hub_Signature_256=None).replace(
            b"Connection: close\r\n", b"", 1
        )
        answer = rig.raw(outer + request(method=b"GET"))
        assert statuses(answer) == [405 if method == b"GET" else 401, 405]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
        b"POST / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"post / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % number for number in range(500)) + b"\r\n",
        b"POST / HTTP/1.1\r\nA: " + b"a" * 200_000 + b"\r\n\r\n",
        b"\r\n\r\n",
        b"",
    ],
    ids=lambda sent: repr(sent[:36]),
)
def test_other_protocols_are_refused(rig: IngestRig, sent: bytes) -> None:
    """Bytes that are not an HTTP request are refused, or the server closes the connection."""
    assert all(400 <= status < 500 for status in statuses(rig.raw(sent, ends=True)))


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "close"])
def test_a_client_may_disconnect(rig: IngestRig, reset: bool) -> None:  # noqa: FBT001 - a parameter
    """A client that disconnects within the head, the body or a chunk affects no one else."""
    whole = request()
    chunked = request(b"", CHUNKED, length=None) + b"ff\r\nabc"
    for sent in (whole[:20], whole[:-5], chunked):
        with socket.create_connection(("127.0.0.1", rig.function.port), timeout=TIMEOUT) as connection:
            connection.sendall(sent)
            if reset:  # with a linger time of zero the kernel sends a reset
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def peak_kib(rig: IngestRig) -> int:
    """Return the peak memory, in KiB, of the function's largest process."""
    group = rig.function.child.pid
    peaks = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(status.read_text().rpartition(")")[2].split()[2]) == group:
                text = status.with_name("status").read_text()
                peaks.append(int(re.findall(r"VmHWM:\s+(\d+) kB", text)[0]))
        except (OSError, IndexError):
            continue  # the process has ended meanwhile
    assert peaks
    return max(peaks)


def chunks(size: int) -> Iterator[bytes]:
    """Yield a chunked body of that size."""
    for _ in range(size // MIB):
        yield b"%x\r\n" % MIB + bytes(MIB) + b"\r\n"


def one_chunk(size: int) -> Iterator[bytes]:
    """Yield a body of that size that is announced as one chunk."""
    yield b"%x\r\n" % size
    for _ in range(size // MIB):
        yield bytes(MIB)


def plain(size: int) -> Iterator[bytes]:
    """Yield a body of that size."""
    for _ in range(size // MIB):
        yield bytes(MIB)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory from /proc")
@pytest.mark.parametrize(
    ("body", "size", "status"),
    [(chunks, 60 * MIB, 413), (one_chunk, 60 * MIB, 413), (plain, 60 * MIB, 413), (plain, 25 * MIB, 401)],
    ids=["chunks", "one chunk", "announced", "largest"],
)
def test_huge_bodies_are_not_kept_in_memory(
    rig: IngestRig, body: Callable[[int], Iterator[bytes]], size: int, status: int
) -> None:
    """Three unsigned bodies of 60 MiB at the same time get 413 and are never whole in memory."""
    rig.published_since()
    before = peak_kib(rig)
    answers: list[bytes] = []

    def send() -> None:
        framing = {"length": size} if body is plain else {"length": None}
        extra = [] if body is plain else [CHUNKED]
        head = request(b"", *extra, X_Hub_Signature_256=GOOD if status == 401 else None, **framing)
        answers.append(rig.raw_stream(head, body(size)))

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [statuses(answer) for answer in answers] == [[status]] * 3
    assert peak_kib(rig) - before < 200 * 1024


def test_a_stalled_client_is_disconnected(rig: IngestRig) -> None:
    """A client that announces a body and sends no more is refused: a few must not block all threads."""
    waiting = [socket.create_connection(("127.0.0.1", rig.function.port), timeout=TIMEOUT) for _ in range(12)]
    try:
        for number, client in enumerate(waiting):
            client.sendall(request(b"abc", length=100 if number % 2 else 30 * MIB))
        answers = [statuses(client.recv(65536)) for client in waiting]
    finally:
        for client in waiting:
            client.close()
    assert {status for answer in answers for status in answer} == {400, 413}
    assert all(answers)
