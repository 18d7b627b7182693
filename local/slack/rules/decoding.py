"""Reads the arguments of a call from JSON, a form or a query string."""

import json
from typing import Any
from urllib.parse import parse_qsl

from local.slack.rules.arguments import BOOLEANS
from local.slack.rules.problems import Arguments, Problem, RefusedError

_JSON = {
    "attachments": "invalid_arguments",
    "blocks": "invalid_blocks_format",
    "files": "invalid_arguments",
    "metadata": "invalid_metadata_format",
}
_SWITCHES = {"true": True, "1": True, "false": False, "0": False}


def decode(content_type: str, body: bytes) -> Arguments:
    """Read the arguments of a call from a JSON or form-encoded body; an empty body has none.

    Raises RefusedError with Slack's slug: missing_post_type, invalid_post_type, invalid_charset,
    invalid_json, json_not_object, invalid_form_data, invalid_array_arg, invalid_blocks_format,
    invalid_metadata_format.
    """
    kind, _, parameters = (part.strip().lower() for part in content_type.partition(";"))
    if not body:
        return {}
    if not kind:
        raise RefusedError(Problem(error="missing_post_type"))
    if parameters and parameters.replace(" ", "").strip('"') not in {"charset=utf-8", 'charset="utf-8'}:
        raise RefusedError(Problem(error="invalid_charset"))
    if kind == "application/json":
        arguments = _loads(body, "invalid_json")
        if not isinstance(arguments, dict):
            raise RefusedError(Problem(error="json_not_object"))
        return arguments
    if kind == "application/x-www-form-urlencoded":
        return decode_form(body)
    raise RefusedError(Problem(error="invalid_post_type", message=f"cannot read {kind}"))


def decode_form(body: bytes) -> Arguments:
    """Read a form or a query string: lists and objects are JSON, switches are true, false, 1 or 0."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError as error:
        raise RefusedError(Problem(error="invalid_form_data", message=str(error))) from error
    arguments: Arguments = dict(pairs)
    if len(arguments) < len(pairs):
        raise RefusedError(Problem(error="invalid_array_arg", message="an argument is given twice"))
    for name, slug in _JSON.items():
        if name in arguments:
            arguments[name] = _loads(arguments[name].encode(), slug)
    for name in BOOLEANS & arguments.keys():
        arguments[name] = _SWITCHES.get(arguments[name], arguments[name])
    return arguments


def _loads(text: bytes, slug: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key is given twice in one object")
        return dict(pairs)

    try:
        return json.loads(text.decode(), parse_constant=refuse, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise RefusedError(Problem(error=slug, message=str(error))) from error
