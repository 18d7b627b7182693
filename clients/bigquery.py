"""BigQuery: the official client, queries with a time limit, and what to say when a call fails.

Bounds of other calls are the caller's: the client's own retry goes on for ten minutes and shows no progress.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Protocol

from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import RequestException

from pipeline.errors import Unavailable

QUERY_SECONDS = 120.0
RETRY_SECONDS = 10.0  # the client retries for ten minutes by default, without a word

# Every way in which a call of the client fails; anything else is a defect.
FAILURES = (GoogleAPICallError, RetryError, GoogleAuthError, RequestException, TimeoutError)


def connect(project: str, location: str | None = None, *, emulator: str | None = None) -> bigquery.Client:
    """Return a client of the cloud, or of the local BigQuery at `emulator`, such as http://127.0.0.1:9050.

    The default is the address in BIGQUERY_EMULATOR_HOST. Raises GoogleAuthError if there are no credentials.
    """
    emulator = emulator or os.environ.get("BIGQUERY_EMULATOR_HOST")
    if not emulator:
        return bigquery.Client(project=project, location=location)
    return bigquery.Client(
        project=project,
        location=location,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": emulator},
    )


def explain(failure: Exception) -> str:
    """Return one line for the operator about one of FAILURES, with the fix where it is known."""
    if isinstance(failure, GoogleAuthError):
        return f"no credentials: {first_line(failure)}; run gcloud auth application-default login"
    return f"BigQuery refused or did not answer: {first_line(failure)}"


def unavailable(failure: Exception) -> Unavailable:
    """Return the error of a function about one of FAILURES."""
    if isinstance(failure, NotFound):
        return Unavailable("table_missing", "A table does not exist; run ./deploy.sh setup.")
    return Unavailable("bigquery_failed", f"{explain(failure)}.")


def first_line(failure: Exception) -> str:
    """Return the first line of what the client says, which for some failures is their class alone."""
    if isinstance(failure, RetryError) and isinstance(failure.cause, Exception):
        failure = failure.cause
    if isinstance(failure, RequestsConnectionError):
        return "it cannot be reached"
    return (str(failure).strip() or type(failure).__name__).splitlines()[0]


class Query[Row](Protocol):
    """A query whose text has ${DATASET} for the dataset, as metrics.query.Query is."""

    @property
    def subject(self) -> str:
        """What progress lines call it."""

    @property
    def row(self) -> Callable[..., Row]:
        """Makes a row of the columns, by their names."""

    @property
    def sql(self) -> str:
        """The text."""


class QueryRunner:
    """Runs queries on one dataset, each with a time limit. Raises FAILURES.

    `progress` gets the subject of each query before it runs.
    """

    def __init__(self, client: bigquery.Client, dataset: str, progress: Callable[[str], None]) -> None:
        self._client = client
        self._dataset = dataset
        self._progress = progress

    def __call__[Row](self, query: Query[Row], values: Mapping[str, Any]) -> tuple[Row, ...]:
        """Return the rows of the query with these parameters."""
        return tuple(self.stream(query, values))

    def stream[Row](self, query: Query[Row], values: Mapping[str, Any]) -> Iterator[Row]:
        """Yield the rows as they arrive: they may be too many for the memory."""
        self._progress(query.subject)
        retry = DEFAULT_RETRY.with_timeout(RETRY_SECONDS)
        job = self._client.query(
            query.sql.replace("${DATASET}", self._dataset),
            job_config=bigquery.QueryJobConfig(
                query_parameters=[_parameter(name, value) for name, value in values.items()]
            ),
            retry=retry,
            job_retry=None,
            timeout=RETRY_SECONDS,
        )
        rows = job.result(retry=retry, job_retry=None, timeout=QUERY_SECONDS)
        for row in rows:
            yield query.row(
                **{name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
            )


def _parameter(name: str, value: Any) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    if isinstance(value, list):
        return bigquery.ArrayQueryParameter(name, "STRING" if isinstance(value[0], str) else "INT64", value)
    kind = "TIMESTAMP" if isinstance(value, datetime) else "DATE" if isinstance(value, date) else "INT64"
    return bigquery.ScalarQueryParameter(name, kind, value)
