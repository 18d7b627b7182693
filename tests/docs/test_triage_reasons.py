"""Every reason that a line of triage may have is in its part of the runbook, and no others are."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tests.docs.reasons import constants, raised

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text()
SECTION = TEXT.split("\n## What triage did, and what it left\n")[1].split("\n## ")[0]
FUNCTION = sorted((ROOT / "functions/triage").glob("*.py"))
CLIENTS = [
    ROOT / "clients" / name
    for name in (
        "bigquery.py",
        "github/app_token.py",
        "github/client.py",
        "github/issue_actions.py",
        "github/responses.py",
        "github/transport.py",
    )
]
# RotatingToken and load_at_startup make these of a name, the subscriber logs one, and one is a single word.
MADE = {
    "github_app_key_unreadable",
    "github_app_key_malformed",
    "configuration",
    "meant_for_another",
    "incomplete",
}


def told(path: Path) -> Iterator[str]:
    """Yield the reasons in a module that are not raised: of a log line, a verdict, or an ignored event."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Yield(value=ast.Tuple(elts=[value, _])) | ast.Yield(value=ast.Constant() as value):
                yield from constants(value)
            case ast.Return(value=ast.Tuple(elts=[_, value])):
                yield from constants(value)
            case ast.Call(func=ast.Attribute(attr="_member"), args=[*_, value]):
                yield from constants(value)
            case ast.Dict(keys=[ast.Constant(value="reason")], values=[value]):
                yield from constants(value)


def test_every_reason_of_triage_is_in_the_runbook() -> None:
    """An operator who reads a reason in a log line or a row finds what it means and what to do."""
    readers = [path for path in FUNCTION if path.stem not in {"validation", "rules_file"}]
    reasons = set(chain.from_iterable(map(raised, [*readers, *CLIENTS])))
    reasons |= set(chain.from_iterable(map(told, readers))) | MADE
    assert {"label_removed", "title_changed", "too_old", "no_rule_matches", "app_clock_off"} <= reasons
    rows = re.findall(r"^\| (`.*?`) \|", SECTION.partition("The reasons:")[2], re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert sorted(reasons ^ explained) == []
