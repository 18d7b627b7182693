"""Finds the reasons that a module's log lines may have."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

REASON = re.compile(r"[a-z]+(_[a-z]+)+")


def constants(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an argument may be."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and REASON.fullmatch(each.value):
            yield each.value


def raised(path: Path) -> Iterator[str]:
    """Yield the reasons in a module: first arguments of errors and problems, and what `reason` is set to."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Raise(exc=ast.Call(args=[first, *_])) | ast.Return(value=ast.Call(args=[first, *_])):
                yield from constants(first)
            case ast.Call(func=ast.Name(id="Unavailable" | "NotFound" | "_problem"), args=[first, *_]):
                yield from constants(first)
            case (
                ast.keyword(arg="reason", value=value)
                | ast.Assign(targets=[ast.Name(id="reason")], value=value)
            ):
                yield from constants(value)
