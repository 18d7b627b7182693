"""BigQuery's client connects to the cloud or the emulator, and explains failures in one line."""

import pytest
import requests
from google.api_core.exceptions import Forbidden, RetryError
from google.auth.exceptions import DefaultCredentialsError

from clients.bigquery import FAILURES, connect, explain


def test_the_emulator_s_variable_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """BIGQUERY_EMULATOR_HOST redirects the client, which then needs no credentials."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9050")
    client = connect("acme", "EU")
    assert client._connection.API_BASE_URL == "http://127.0.0.1:9050"
    assert (client.project, client.location) == ("acme", "EU")


def test_a_given_emulator_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that the caller gives is used instead of the variable's."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9050")
    assert connect("acme", emulator="http://127.0.0.1:9")._connection.API_BASE_URL == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        (Forbidden("no right\nto create datasets"), "BigQuery refused or did not answer: 403 no right"),
        (RetryError("too late", None), "BigQuery refused or did not answer: too late, last exception: None"),
        (requests.ConnectionError("HTTP..."), "BigQuery refused or did not answer: it cannot be reached"),
        (
            RetryError("too late", requests.ConnectionError("HTTP...")),
            "BigQuery refused or did not answer: it cannot be reached",
        ),
        (RetryError("too late", Forbidden("no right")), "BigQuery refused or did not answer: 403 no right"),
        (TimeoutError(), "BigQuery refused or did not answer: TimeoutError"),
        (
            DefaultCredentialsError("none were found"),
            "no credentials: none were found; run gcloud auth application-default login",
        ),
    ],
)
def test_a_failure_is_explained_in_one_line(failure: Exception, line: str) -> None:
    """Every kind of failure has one line, also one without a text of its own."""
    assert isinstance(failure, FAILURES)
    assert explain(failure) == line
