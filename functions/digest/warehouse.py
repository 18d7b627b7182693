"""Asks BigQuery."""

from collections.abc import Mapping
from typing import Any

from clients.bigquery import FAILURES, Query, QueryRunner, connect, unavailable
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
