"""A delivery becomes a message with data and attributes, and is read from a push."""

import gzip
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delivery import (
    GZIP_ABOVE_BYTES,
    MAX_BODY_BYTES,
    Delivery,
    addressee,
    format_time,
    parse_number,
    parse_time,
    unverified_ids,
)
from pipeline.errors import Malformed
from tests.support.messages import push, push_of

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
REQUIRED = {
    "event": "issues",
    "delivery_id": "d-1",
    "received_at": "2026-01-05T12:00:00.000006Z",
    "source": "webhook",
    "schema": "1",
}


def delivery(**changes: Any) -> Delivery:
    """Return a delivery with the required fields alone."""
    received_at = datetime(2026, 1, 5, 12, 0, 0, 6, tzinfo=UTC)
    return Delivery(
        **{"delivery_id": "d-1", "event": "issues", "body": b"{}", "received_at": received_at, **changes}
    )


def test_attributes_that_do_not_apply_are_absent() -> None:
    """A delivery without action, repository and trace has exactly the five required attributes."""
    assert delivery().to_message() == (b"{}", REQUIRED)


def test_every_attribute_has_the_contract_s_name() -> None:
    """Attributes that apply have the contract's names."""
    full = delivery(
        action="opened",
        repository="acme/app",
        traceparent=TRACEPARENT,
        source="replay",
        hook_id=5,
        redriven=2,
        only="stream-bq",
    )
    _, attributes = full.to_message()
    assert attributes == REQUIRED | {
        "action": "opened",
        "repository": "acme/app",
        "traceparent": TRACEPARENT,
        "source": "replay",
        "hook_id": "5",
        "redriven": "2",
        "only": "stream-bq",
    }
    assert Delivery.from_push(push_of(full)) == full


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        (str(2**63 - 1), 2**63 - 1),
        *(
            (wrong, None)
            for wrong in (str(2**63), "9" * 5000, "-1", "+1", " 1", "1,1", "\u0661", "", None, 1)
        ),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_number_is_digits_that_a_column_can_store(text: Any, number: int | None) -> None:
    """Decimal digits up to the largest 64-bit number are a number; everything else is none."""
    assert parse_number(text) == number


@pytest.mark.parametrize("value", ["x", "", None, 7, ["5"]])
def test_a_wrong_hook_or_count_is_not_an_error(value: Any) -> None:
    """A hook id or a count that is no number reads as absent."""
    found = Delivery.from_push(push(b"{}", REQUIRED | {"hook_id": value, "redriven": value}))
    assert (found.hook_id, found.redriven) == (None, 0)


@pytest.mark.parametrize(
    "body", [None, {}, {"message": []}, {"message": {"attributes": []}}, push(b"", {"only": ""})]
)
def test_a_message_is_meant_for_all_unless_it_says_otherwise(body: Any) -> None:
    """Without the attribute `only`, a message is meant for every subscription."""
    assert addressee(body) is None
    assert addressee(push(b"", {"only": "stream-bq"})) == "stream-bq"


@pytest.mark.parametrize("value", ["", "a" * 1025, "é", "a\n", "\x00", "\ud800", "\u2028"])
def test_a_value_that_pubsub_refuses_is_left_out(value: str) -> None:
    """A value that fits no attribute is left out, and the delivery is published without it."""
    _, attributes = delivery(action=value, repository=value).to_message()
    assert attributes == REQUIRED


def test_the_longest_value_fits() -> None:
    """A value of 1,024 bytes fits."""
    _, attributes = delivery(action="a" * 1024).to_message()
    assert attributes["action"] == "a" * 1024


def test_a_large_body_is_packed() -> None:
    """Data of 9,000,000 bytes is not packed; with a byte more it is, and an attribute says so."""
    as_it_is = bytes(GZIP_ABOVE_BYTES)
    assert delivery(body=as_it_is).to_message() == (as_it_is, REQUIRED)
    data, attributes = delivery(body=as_it_is + b"0").to_message()
    assert attributes == REQUIRED | {"content_encoding": "gzip"}
    assert gzip.decompress(data) == as_it_is + b"0"


def test_packing_is_repeatable() -> None:
    """A redelivery of the same bytes is packed into the same bytes."""
    body = random.Random(1).randbytes(1000) * 10_000
    assert delivery(body=body).to_message() == delivery(body=body).to_message()


@given(
    body=st.binary(),
    action=st.none() | st.text(),
    moment=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds it
    source=st.sampled_from(["webhook", "reconcile", "backfill", "replay"]),
)
def test_a_subscriber_reads_what_ingest_published(
    body: bytes, action: str | None, moment: datetime, source: str
) -> None:
    """A push becomes the delivery that was published."""
    sent = delivery(body=body, action=action, received_at=moment, source=source)
    _, attributes = sent.to_message()
    received = Delivery.from_push(push_of(sent))
    assert (received.body, received.received_at, received.source) == (body, moment, source)
    assert received.action == attributes.get("action")
    assert received.action in {None, action}


def test_the_largest_body_is_read() -> None:
    """A body of 25 MiB is packed and unpacked intact."""
    body = bytes(MAX_BODY_BYTES)
    assert Delivery.from_push(push_of(delivery(body=body))).body == body


def test_a_decompression_bomb_is_refused() -> None:
    """Data that unpacks to more than 25 MiB is refused."""
    bomb = gzip.compress(bytes(MAX_BODY_BYTES + 1))
    with pytest.raises(Malformed) as refused:
        Delivery.from_push(push(bomb, REQUIRED | {"content_encoding": "gzip"}))
    assert refused.value.reason == "gzip_malformed"


@pytest.mark.parametrize(
    ("data", "changes", "reason"),
    [
        (b"{}", {"delivery_id": ""}, "delivery_id_missing"),
        (b"{}", {"event": ""}, "event_missing"),
        (b"{}", {"source": "elsewhere"}, "source_unknown"),
        (b"{}", {"content_encoding": "br"}, "encoding_unknown"),
        (b"{}", {"content_encoding": "gzip"}, "gzip_malformed"),
        (gzip.compress(b"{}", mtime=0)[:-1], {"content_encoding": "gzip"}, "gzip_malformed"),
    ],
)
def test_a_message_that_breaks_the_contract_is_malformed(
    data: bytes, changes: dict[str, str], reason: str
) -> None:
    """A message that breaks the contract is Malformed, with a reason that names the problem."""
    with pytest.raises(Malformed) as refused:
        Delivery.from_push(push(data, REQUIRED | changes))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "body", [None, [], {}, {"message": None}, {"message": []}, {"message": {"attributes": []}}]
)
def test_bodies_without_a_message(body: object) -> None:
    """A body without a message of ours is Malformed, and no other error is raised."""
    with pytest.raises(Malformed):
        Delivery.from_push(body)


@pytest.mark.parametrize("data", [None, 1, "é", "a", "****", {"a": 1}])
def test_data_must_be_base64(data: object) -> None:
    """Data that is not base64 text is Malformed."""
    with pytest.raises(Malformed) as refused:
        Delivery.from_push({"message": {"data": data, "attributes": REQUIRED}})
    assert refused.value.reason == "data_malformed"


def test_the_publish_time_replaces_a_missing_received_at() -> None:
    """A message without received_at counts as received when it was published."""
    attributes = {name: value for name, value in REQUIRED.items() if name != "received_at"}
    received = Delivery.from_push(push(b"{}", attributes))
    assert received.received_at == datetime(2026, 1, 5, 12, 0, 1, 500_000, tzinfo=UTC)


def test_times_are_utc_with_microseconds() -> None:
    """Times are written in UTC with six digits, whatever zone they were given in."""
    moment = datetime(2026, 1, 5, 13, 0, tzinfo=timezone(timedelta(hours=1)))
    assert format_time(moment) == "2026-01-05T12:00:00.000000Z"
    assert parse_time("2026-01-05T13:00:00+01:00") == moment


@given(
    text=st.none()
    | st.integers()
    | st.text()
    | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?")
)
def test_any_text_is_a_time_or_none(text: object) -> None:
    """Any value is read as a time in UTC or as None."""
    moment = parse_time(text)
    assert moment is None or moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (
            {"message": {"messageId": "7", "attributes": {"delivery_id": "d", "repository": "o/r"}}},
            {"message_id": "7", "delivery_id": "d", "repository": "o/r"},
        ),
        ({"message": {"messageId": "7", "attributes": None}}, {"message_id": "7"}),
        ({"message": {"messageId": 7, "attributes": {"delivery_id": "a\nb"}}}, {}),
        ({"message": {"messageId": "x" * 2000, "attributes": ["d"]}}, {}),
        ({"message": None}, {}),
        (None, {}),
    ],
)
def test_an_unreadable_message_is_still_named(body: object, ids: dict[str, str]) -> None:
    """The ids that a message names are found whatever else is wrong, but not what a log cannot show."""
    assert unverified_ids(body) == ids
