"""The whole stack, started once for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.options import Options
from local.stack.stack import Stack, running

ROUTES = """
[[route]]
name = "everything"
channels = ["C0123456789"]

[[route]]
name = "docs"
channels = ["C0000000002"]
repositories = ["acme/docs"]

[people]
mona = "U0123456789"
"""

TRIAGE = """
[[rule]]
name = "asked for"
words_any = ["please triage this"]
add_labels = ["triaged"]
"""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start every part, with Google's Pub/Sub emulator if it is installed."""
    folder: Path = tmp_path_factory.mktemp("a team's stack")
    (folder / "routes.toml").write_text(ROUTES)
    (folder / "triage.toml").write_text(TRIAGE)
    options = Options(state=folder, routes=folder / "routes.toml", triage=folder / "triage.toml")
    with running(options, lambda *_: None) as started:
        yield started


@pytest.fixture(autouse=True)
def healthy(stack: Stack) -> Iterator[None]:
    """Clear the faults of Slack and GitHub after each test."""
    yield
    stack.slack.clear_faults()
    stack.github.clear_faults()
