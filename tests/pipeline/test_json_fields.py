"""Fields of JSON objects are read by their type."""

from typing import Any

import pytest

from pipeline import json_fields


@pytest.mark.parametrize("value", [None, True, 1.0, "1", [1], {"a": 1}, 2**63, -(2**63) - 1])
def test_only_an_integer_of_64_bits_is_one(value: Any) -> None:
    """Booleans, decimals, text, and what is too large for BigQuery are no integer."""
    assert json_fields.integer({"a": value}, "a") is None
    assert json_fields.integer({}, "a") is None
    assert json_fields.integer({"a": 2**63 - 1}, "a") == 2**63 - 1


@pytest.mark.parametrize("value", [None, 1, ["a"], {"a": "b"}])
def test_only_a_string_is_text(value: Any) -> None:
    """A field that is no string is None."""
    assert json_fields.text({"a": value}, "a") is None
    assert json_fields.text({"a": ""}, "a") == ""


@pytest.mark.parametrize("value", [None, 1, "a", ["a"]])
def test_what_is_no_object_is_empty(value: Any) -> None:
    """A field that is no object is read as one without fields."""
    assert json_fields.mapping({"a": value}, "a") == {}
    assert json_fields.mapping({"a": {"b": 1}}, "a") == {"b": 1}


def test_names_are_read_in_order() -> None:
    """Of a list, the entries that are objects with such a name count, in their order."""
    raw = {"labels": [{"name": "b"}, "x", None, {"name": 1}, {"other": "y"}, {"name": "a"}]}
    assert json_fields.names(raw, "labels", "name") == ("b", "a")
    assert json_fields.names({"labels": "ab"}, "labels", "name") == ()
