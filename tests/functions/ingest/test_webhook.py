"""A request is read within limits: its body, its media type, its headers, and the delivery in it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ingest.webhook import (
    FORM,
    JSON,
    announced_bytes,
    check_framing,
    check_type,
    header_reader,
    read_delivery,
)
from pipeline.delivery import Delivery
from pipeline.errors import Rejected

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def headers(**changes: str | None) -> dict[str, str | None]:
    """Return GitHub's headers; `_` stands for a dash."""
    sent = {
        "Content-Type": JSON,
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    }
    return {**sent, **{name.replace("_", "-"): value for name, value in changes.items()}}


def read(body: bytes, media_type: str = JSON, **changes: str | None) -> Delivery:
    """Read a delivery."""
    return read_delivery(headers(Content_Type=media_type, **changes).get, body, NOW)


def refusal(body: bytes, media_type: str = JSON, **changes: str | None) -> Rejected:
    """Return why a delivery is refused."""
    with pytest.raises(Rejected) as refused:
        read(body, media_type, **changes)
    return refused.value


def test_a_repeated_header_is_joined() -> None:
    """A repeated header reads as one value with commas; a name is found in any case."""
    header = header_reader([(b"x-a", b"1"), (b"x-b", b"\xe9"), (b"x-a", b"2")])
    assert (header("X-A"), header("x-b"), header("X-C")) == ("1,2", "\xe9", None)


@pytest.mark.parametrize(("value", "size"), [(None, None), ("0", 0), ("12", 12), ("", None), ("\xb2", None)])
def test_the_announced_size(value: str | None, size: int | None) -> None:
    """The announced size is the number in Content-Length."""
    assert announced_bytes(headers(Content_Length=value).get) == size


def test_two_framings_are_refused() -> None:
    """A body with a length and in chunks is refused; each alone passes."""
    check_framing(headers(Content_Length="1").get)
    check_framing(headers(Transfer_Encoding="chunked").get)
    with pytest.raises(Rejected) as refused:
        check_framing(headers(Content_Length="1", Transfer_Encoding="chunked").get)
    assert (refused.value.status, refused.value.reason) == (400, "body_broken")


@pytest.mark.parametrize("media_type", [JSON, FORM])
@pytest.mark.parametrize("encoding", [None, "", "identity"])
def test_the_two_media_types_pass(media_type: str, encoding: str | None) -> None:
    """GitHub's two content types pass without a content encoding or with `identity`."""
    check_type(headers(Content_Type=media_type, Content_Encoding=encoding).get)


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "multipart/form-data", "application/vnd.github+json"]
)
def test_another_media_type_is_refused(media_type: str) -> None:
    """Another content type gets 415, and the message names the setting to change."""
    with pytest.raises(Rejected, match="Content type to application/json") as refused:
        check_type(headers(Content_Type=media_type).get)
    assert refused.value.status == 415


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity"])
def test_a_packed_body_is_not_unpacked(encoding: str) -> None:
    """A body with a content encoding gets 415 and is never unpacked."""
    with pytest.raises(Rejected, match="Content-Encoding") as refused:
        check_type(headers(Content_Encoding=encoding).get)
    assert refused.value.status == 415


def test_a_delivery_is_read() -> None:
    """The delivery has the exact bytes, and the action and the repository in them."""
    body = b'{ "action": "opened",\n "repository": {"full_name": "acme/app"}, "x": "\xc3\xbc" }\n'
    delivery = read(body, traceparent=TRACEPARENT, X_GitHub_Hook_ID="292430182")
    assert delivery == Delivery(
        delivery_id="72d3162e-cc78-11e3-81ab-4c9367dc0958",
        event="issues",
        body=body,
        received_at=NOW,
        action="opened",
        repository="acme/app",
        traceparent=TRACEPARENT,
        source="webhook",
        hook_id=292430182,
    )


@pytest.mark.parametrize("value", [None, "", "x", "-1", "1,1", "9" * 19, "\xb2"])
def test_a_wrong_hook_id_is_left_out(value: str | None) -> None:
    """A hook id that is missing or is no number is left out, and the delivery is accepted."""
    assert read(b"{}", X_GitHub_Hook_ID=value).hook_id is None


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"action": None, "repository": None},
        {"action": ["opened"], "repository": []},
        {"action": {"a": 1}, "repository": {"full_name": 7}},
        {"action": 1, "repository": "acme/app"},
        {"action": "", "repository": {"full_name": ""}},
        {"action": "\ud800", "repository": {"full_name": "\x00"}},
        {"action": "zwölf", "repository": {"full_name": "acme/app\n"}},
        {"action": "a" * 1025, "repository": {"full_name": "a" * 1025}},
    ],
)
def test_a_malformed_action_or_repository_is_left_out(payload: dict[str, Any]) -> None:
    """An action or a repository that fits no attribute is left out of the attributes and the log."""
    delivery = read(json.dumps(payload).encode())
    assert (delivery.action, delivery.repository) == (None, None)


@pytest.mark.parametrize(
    "traceparent", [None, "", "x", TRACEPARENT.upper(), TRACEPARENT + "-1", TRACEPARENT[1:]]
)
def test_a_malformed_trace_is_left_out(traceparent: str | None) -> None:
    """A header that is not a W3C traceparent is left out."""
    assert read(b"{}", traceparent=traceparent).traceparent is None


@pytest.mark.parametrize("name", ["X-GitHub-Event", "X-GitHub-Delivery"])
@pytest.mark.parametrize(
    "value", ["", " ", "a b", "é", "a" * 129, "a,b", "../x", "-a", "a\n", "a\x00", "a\u0661"]
)
def test_a_malformed_header_is_refused(name: str, value: str) -> None:
    """The refusal of a malformed header names the header and does not quote its value."""
    refused = refusal(b"{}", **{name: value})
    assert (refused.status, refused.reason) == (400, "header_malformed")
    assert str(refused) == f"The header {name} is malformed."


@pytest.mark.parametrize("name", ["X-GitHub-Event", "X-GitHub-Delivery"])
def test_a_missing_header_is_refused(name: str) -> None:
    """The refusal of a missing header names the header, whatever the body is."""
    refused = refusal(b"not JSON", **{name: None})
    assert (refused.status, refused.reason) == (400, "header_missing")
    assert name in str(refused)


@pytest.mark.parametrize("value", ["issues", "a" * 128, "A.b_c:d-9"])
def test_a_well_formed_header_is_accepted(value: str) -> None:
    """Letters, digits and . _ : - are accepted, up to 128 of them."""
    assert read(b"{}", X_GitHub_Delivery=value).delivery_id == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b"null",
        b"1",
        b'"text"',
        b"{",
        b"{}{}",
        b"{}\x00",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xff"}',
        b'{"a": "\x00"}',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=lambda body: repr(body[:16]),
)
def test_another_body_than_a_json_object_is_refused(body: bytes) -> None:
    """A body that is not a JSON object gets 400, by itself and in a form."""
    for media_type, sent in ((JSON, body), (FORM, b"payload=" + quote_plus(body).encode())):
        refused = refusal(sent, media_type)
        assert refused.status == 400
        assert refused.reason in {"body_not_json", "body_not_object"}


@pytest.mark.parametrize(
    "body", [b'{"a": "\\u0000"}', b'{"a": "\\ud800"}', b'{"action": "a", "action": "b"}', b" {}\n"]
)
def test_an_unusual_json_object_is_unchanged(body: bytes) -> None:
    """Escaped NULs, lone surrogates and a repeated key are JSON: the bytes are not changed."""
    assert read(body).body == body


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (b"payload=%7B%22a%22%3A+%22%C3%BC%2B%25%26%22%7D", b'{"a": "\xc3\xbc+%&"}'),
        (b"x=1&payload={}&y", b"{}"),
        (b"payload={%22a%22:%22=%22}", b'{"a":"="}'),
        (b'payload={"a":"=\xc3\xbc"}', b'{"a":"=\xc3\xbc"}'),
        (b'payload={"a":"%zz%"}', b'{"a":"%zz%"}'),
    ],
)
def test_a_form_contains_the_payload(form: bytes, text: bytes) -> None:
    """The payload of a form is read as exact bytes: + is a space and %XX a byte."""
    assert read(form, FORM).body == text


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"payload",
        b"payloads={}",
        b"PAYLOAD={}",
        b"payload={}&payload={}",
        b"a&payload&payload={}",
        b"&=&",
    ],
)
def test_a_form_needs_exactly_one_payload(form: bytes) -> None:
    """A form with no payload, or with two, is refused."""
    assert refusal(form, FORM).status == 400


@given(
    body=st.binary(),
    media_type=st.sampled_from([JSON, FORM]),
    values=st.lists(st.none() | st.text(), min_size=3, max_size=3),
)
def test_any_request_is_read_or_refused(body: bytes, media_type: str, values: list[str | None]) -> None:
    """Any request becomes a delivery or is refused with a status below 500."""
    sent = dict(zip(("X-GitHub-Event", "X-GitHub-Delivery", "traceparent"), values, strict=True))
    for found in (sent, headers(traceparent=values[2])):
        expect_an_answer(found, media_type, body)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["action", "repository", "full_name"]) | st.text(), inner)
    ),
    max_leaves=10,
)


@given(payload=st.dictionaries(st.sampled_from(["action", "repository"]), JSON_VALUES))
def test_any_payload_is_read_or_refused(payload: dict[str, Any]) -> None:
    """The attributes of any payload stay within Pub/Sub's limits."""
    delivery = expect_an_answer(headers(), JSON, json.dumps(payload).encode())
    if delivery is not None:
        _, attributes = delivery.to_message()
        assert all(1 <= len(value.encode()) <= 1024 for value in attributes.values())


def expect_an_answer(sent: Mapping[str, str | None], media_type: str, body: bytes) -> Delivery | None:
    """Return the delivery, or None if it is refused with a status below 500."""
    try:
        return read_delivery({**sent, "Content-Type": media_type}.get, body, NOW)
    except Rejected as error:
        refused = error
    assert 400 <= refused.status < 500
    return None


@pytest.mark.parametrize(
    ("issue", "number"),
    [
        ('{"number": 7}', 7),
        ("{}", None),
        ("null", None),
        ("[7]", None),
        ('{"number": "7\\n{}"}', None),
        ('{"number": true}', None),
        ('{"number": 7.0}', None),
        ('{"number": 1' + "0" * 30 + "}", None),
    ],
)
def test_the_number_of_the_issue_is_for_the_log_alone(issue: str, number: int | None) -> None:
    """A delivery knows the number of its issue if that is a whole number; no attribute carries it."""
    delivery = read(b'{"issue": ' + issue.encode() + b"}")
    assert delivery.issue == number
    assert delivery.to_message()[1].keys() == {"event", "delivery_id", "received_at", "source", "schema"}
