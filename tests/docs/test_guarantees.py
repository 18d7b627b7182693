"""docs/guarantees.md names the tests that repeat its figures."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tests_of_the_guarantees_exist() -> None:
    """Every row of a table and every command names tests that exist."""
    page = (ROOT / "docs" / "guarantees.md").read_text()
    rows = [line for line in page.splitlines() if re.match(r"\| (?!tried)", line)]
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for row in rows:
        [named] = re.findall(r"\| `(test_\w+)` \|$", row)
        assert f"def {named}(" in sources, named
    for name in re.findall(r"tests/[\w/]+(?:\.py)?", page):
        assert (ROOT / name).exists(), name
