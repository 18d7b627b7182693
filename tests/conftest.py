"""Shared by all tests: fixtures, the signals of children, and which tests may run beside each other."""

import os
from collections.abc import Generator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support import quick, signals
from tests.support.warehouse import engine, warehouse

__all__ = ["engine", "warehouse"]

# The folders whose tests take longest, and begin first.
LONG = (
    "deploy",
    "docs",
    "local",
    "deploy/cloud",
    "functions/notify_slack",
    "functions/ingest",
    "functions/stream_bq",
    "sql/views",
    "ops/report",
    "sql",
)
_IGNORED = pytest.StashKey[list[int]]()


def pytest_configure(config: pytest.Config) -> None:
    """Let the programs that tests start have the usual signals, under nohup too."""
    config.stash[_IGNORED] = getattr(config, "workerinput", {}).get("ignored_signals", signals.ignored())
    signals.keep_from_children(config.stash[_IGNORED])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let a process of pytest-xdist ignore what this one, which starts it, ignores."""
    node.workerinput["ignored_signals"] = node.config.stash[_IGNORED]


def folder_of(nodeid: str) -> str:
    """Return the first two folders of a test, without tests/."""
    return "/".join(nodeid.partition("::")[0].split("/")[1:-1][:2]) or "checkout"


class FolderScheduling(LoadScopeScheduling):
    """Keeps the tests of a folder together: they share what it started, and the checkout's own folders."""

    def _split_scope(self, nodeid: str) -> str:
        return folder_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Return one process more than there are cores, because these tests wait for half of their time."""
    is_set = "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ
    return None if is_set or config.getvalue("dist") != "loadscope" else (os.process_cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderScheduling | None:
    """Give whole folders to the processes, because the tests of a folder share fixtures."""
    return FolderScheduling(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make quick` leaves out, and begin with the long folders."""
    quick.mark(items)
    items.sort(key=lambda item: [*LONG, folder_of(item.nodeid)].index(folder_of(item.nodeid)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Check that a test keeps the rules of `make quick`."""
    quick.watch(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Encode a test's log so that it passes between processes: hostile text need not be UTF-8."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report
