"""Fields of a JSON object whose shape nobody guarantees: a missing one, or one of another type, is None."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]

_INT64 = range(-(2**63), 2**63)  # what BigQuery stores


def mapping(raw: Json, name: str) -> Json:
    """Return the object in the field, an empty one if there is none."""
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def text(raw: Json, name: str) -> str | None:
    """Return the string in the field."""
    value = raw.get(name)
    return value if isinstance(value, str) else None


def integer(raw: Json, name: str) -> int | None:
    """Return the integer of at most 64 bits in the field; a boolean is none."""
    value = raw.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value in _INT64 else None


def names(raw: Json, name: str, key: str) -> tuple[str, ...]:
    """Return the strings under `key` of the objects in the field's list."""
    values = raw.get(name)
    entries = values if isinstance(values, list) else []
    found = (text(entry, key) for entry in entries if isinstance(entry, dict))
    return tuple(value for value in found if value is not None)
