"""A question to BigQuery."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Query[Row]:
    """SQL in which ${DATASET} is the dataset; its columns are the fields of `row`.

    `subject` names the query in progress lines.
    """

    subject: str
    row: Callable[..., Row]
    sql: str
