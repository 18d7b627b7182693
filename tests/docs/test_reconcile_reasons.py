"""Every reason that an ERROR line of reconcile may have is a heading of the runbook."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "operations.md").read_text()
SECTION = TEXT.split("\n## reconcile reports a problem\n")[1].split("\n## ")[0]
# issue_history is read by backfill only.
SOURCES = [
    path
    for folder in ("functions/reconcile", "clients/github", "clients/pubsub")
    for path in sorted((ROOT / folder).glob("*.py"))
    if path.name != "issue_history.py"
]
REASON = re.compile(r"[a-z]+(_[a-z]+)+")
# RotatingToken and load_at_startup make these of a name.
MADE = {"github_token_unreadable", "github_token_malformed", "configuration"}
OF_INGEST = {"message_too_large"}


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


def test_every_reason_of_reconcile_is_a_heading_of_the_runbook() -> None:
    """An operator who reads a reason in a log line finds a heading that says what to do."""
    reasons = set(chain.from_iterable(map(raised, SOURCES))) - OF_INGEST | MADE
    assert {"deliveries_lost", "hook_missing", "token_refused", "github_refused", "list_ends"} <= reasons
    headings = " ".join(re.findall(r"^###+ (.*)$", SECTION, re.MULTILINE))
    assert sorted(reasons - set(re.findall(r"\w+", headings))) == []
