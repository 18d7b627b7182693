"""The rows of many tests, stored at once, and each view computed once for all of them.

A query of a view costs the local engine half a second, however few rows it reads. So each test runs twice:
first it only says what it stores, up to its first question, and then copies of the views answer it.
"""

import contextlib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.support.warehouse import Warehouse

Row = dict[str, Any]
_MOST = 500  # rows of one insert


class Asked(Exception):
    """The test has asked its first question."""


class Recorder:
    """Takes the place of the warehouse while a test says what it stores."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def insert(self, _dataset: str, rows: list[Row]) -> None:
        """Record rows."""
        self.rows += rows

    def query(self, _sql: str, _dataset: str) -> list[Row]:
        """Stop the test."""
        raise Asked


class Prepared:
    """A dataset with the rows of the tests, and copies of the views that were asked for."""

    def __init__(self, warehouse: Warehouse, dataset: str) -> None:
        self._warehouse = warehouse
        self._dataset = dataset
        self._rows: dict[str, list[Row]] = {}
        self._copy = ""
        self._copied: set[str] = set()

    def store(self, items: Iterable[pytest.Item], make_case: Callable[[Recorder, pytest.Item], Any]) -> None:
        """Store what these tests store before they ask; of a test with other fixtures nothing is known."""
        for item in items:
            parameters = getattr(item, "callspec", None)
            values = dict(parameters.params) if parameters else {}
            function = item.function  # type: ignore[attr-defined]
            if set(inspect.signature(function).parameters) == {"case", *values}:
                recorder = Recorder()
                with contextlib.suppress(Exception):  # what fails here fails in the test itself
                    function(case=make_case(recorder, item), **values)
                self._rows[item.nodeid] = recorder.rows
        rows = [row for rows in self._rows.values() for row in rows]
        for start in range(0, len(rows), _MOST):
            self._warehouse.insert(self._dataset, rows[start : start + _MOST])

    def rows_of(self, nodeid: str) -> list[Row]:
        """Return the rows that are stored for a test."""
        return list(self._rows.get(nodeid, ()))

    def ask(self, view: str, repository_id: int) -> list[Row]:
        """Return the rows of a view about a repository, as they were when the view was first asked for."""
        if not self._copy:
            self._copy = self._warehouse.snapshot(self._dataset, ())
        if view not in self._copied:
            self._warehouse.query(
                f"CREATE TABLE `{self._copy}.{view}` AS SELECT * FROM `{self._dataset}.{view}`", self._copy
            )
            self._copied.add(view)
        return self._warehouse.query(
            f"SELECT * FROM `{self._copy}.{view}` WHERE repository_id = {repository_id}", self._copy
        )
