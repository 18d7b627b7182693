"""BigQuery: the official client, and what to say when a call fails.

Bounds are the caller's: the client's own retry goes on for ten minutes and shows no progress.
"""

import os

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from requests.exceptions import RequestException

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


def first_line(failure: Exception) -> str:
    """Return the first line of what the client says, which for some failures is their class alone."""
    return (str(failure).strip() or type(failure).__name__).splitlines()[0]
