"""What the tests of several rooms share: fixtures, and which tests may run beside each other."""

from collections.abc import Generator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support.warehouse import warehouse

__all__ = ["warehouse"]


class Rooms(LoadScopeScheduling):
    """Keeps the tests of a room together: they share what it started, and the checkout's own folders."""

    def _split_scope(self, nodeid: str) -> str:
        return "/".join(nodeid.partition("::")[0].split("/")[1:-1][:2]) or "checkout"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Rooms:
    """Hand whole rooms to the processes."""
    return Rooms(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make what a test has logged fit to travel between processes: hostile text need not be UTF-8."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report
