"""Asks BigQuery."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from clients.bigquery import FAILURES, Query, QueryRunner, connect, unavailable
from pipeline.errors import Unavailable
from pipeline.logs import log
from pipeline.once import once


class Warehouse:
    """The views of a dataset, PROJECT.DATASET."""

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset
        self._client = once(lambda: connect(project=dataset.rsplit(".", maxsplit=1)[0]))

    def rows[Row](self, query: Query[Row], values: Mapping[str, Any]) -> tuple[Row, ...]:
        """Return the rows of the query with these parameters. Raises Unavailable."""
        try:
            return QueryRunner(self._client(), self._dataset, log.debug)(query, values)
        except FAILURES as error:
            raise unavailable(error) from error


def read_once[T](read: Callable[[], T]) -> Callable[[], T]:
    """Return a function that calls `read` once; an Unavailable of it is raised again by each call."""
    known: Future[T] = Future()

    def get() -> T:
        if not known.done():
            try:
                known.set_result(read())
            except Unavailable as error:
                known.set_exception(error)
        return known.result()

    return get
