"""How the arguments of a call are read."""

import json

import pytest

from local.slack.rules.decoding import decode
from local.slack.rules.problems import RefusedError


def test_json_and_form_bodies_give_the_same_arguments():
    """A form carries blocks and metadata as JSON strings, and switches as words or digits."""
    form = b"channel=C1&text=a%26amp%3Bb&blocks=%5B%7B%22type%22%3A%22divider%22%7D%5D&unfurl_links=0"
    arguments = {
        "channel": "C1",
        "text": "a&amp;b",
        "blocks": [{"type": "divider"}],
        "unfurl_links": False,
    }
    assert decode("application/x-www-form-urlencoded", form) == arguments
    assert decode("application/json", json.dumps(arguments).encode()) == arguments
    assert decode('application/json; charset="UTF-8"', json.dumps(arguments).encode()) == arguments
    assert decode("", b"") == {}
    reading = b"channel=C1&limit=5&inclusive=1&include_all_metadata=false"
    assert decode("application/x-www-form-urlencoded", reading) == {
        "channel": "C1",
        "limit": "5",
        "inclusive": True,
        "include_all_metadata": False,
    }


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("", b"{}", "missing_post_type"),
        ("text/plain", b"{}", "invalid_post_type"),
        ("application/json; charset=latin-1", b"{}", "invalid_charset"),
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"\xff", "invalid_json"),
        ("application/json", b'{"a": NaN}', "invalid_json"),
        ("application/json", b'{"a": 1, "a": 2}', "invalid_json"),
        ("application/json", b'{"a": ' + b"[" * 100_000, "invalid_json"),
        ("application/json", b"[]", "json_not_object"),
        ("application/x-www-form-urlencoded", b"channel", "invalid_form_data"),
        ("application/x-www-form-urlencoded", b"text=%ff", "invalid_form_data"),
        ("application/x-www-form-urlencoded", b"text=\xc3\xa9", "invalid_form_data"),
        ("application/x-www-form-urlencoded", b"text=a&text=b", "invalid_array_arg"),
        ("application/x-www-form-urlencoded", b"blocks=no", "invalid_blocks_format"),
        ("application/x-www-form-urlencoded", b"metadata=no", "invalid_metadata_format"),
    ],
)
def test_an_unreadable_body_is_refused_by_name(content_type, body, error):
    """Each way to send an unreadable body has its own error."""
    with pytest.raises(RefusedError) as refusal:
        decode(content_type, body)
    assert refusal.value.problems[0].error == error
