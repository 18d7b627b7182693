"""A command shows one line for a failure, and a traceback for a defect."""

from pathlib import Path

import click
import pytest
import requests
from google.api_core.exceptions import Forbidden
from google.auth.exceptions import GoogleAuthError

from ops.cli import file_errors, http_errors, one_line_errors
from pipeline.errors import ConfigurationError, Unavailable


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        (Unavailable("topic_missing", "the topic is missing; deploy it"), "the topic is missing; deploy it"),
        (ConfigurationError(["A is not set", "B is wrong"]), "Wrong configuration: A is not set; B is wrong"),
        (Forbidden("no"), "BigQuery refused or did not answer: 403 no"),
        (GoogleAuthError("none"), "no credentials: none; run gcloud auth application-default login"),
    ],
)
def test_a_failure_becomes_one_line(failure: Exception, line: str) -> None:
    """Wrong settings and failures of a client end a command with one sentence that names the remedy."""
    with pytest.raises(click.ClickException) as caught, one_line_errors():
        raise failure
    assert caught.value.message == line
    assert caught.value.__cause__ is failure


def test_a_defect_keeps_its_traceback() -> None:
    """Any other error keeps its traceback."""
    with pytest.raises(KeyError), one_line_errors():
        raise KeyError


def test_a_file_s_error_names_the_file(tmp_path: Path) -> None:
    """A missing file, or a file that is not text, is reported in one line with the path and the cause."""
    path = tmp_path / "routes.toml"
    with (
        pytest.raises(click.ClickException, match=r"routes\.toml cannot be read: No such file or directory"),
        file_errors(path),
    ):
        path.read_text()
    path.write_bytes(b"\xff")
    with (
        pytest.raises(click.ClickException, match=r"routes\.toml cannot be read: it is not UTF-8"),
        file_errors(path),
    ):
        path.read_text("utf-8")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (requests.ReadTimeout(), "http://h/ gave no answer within 3 s"),
        (requests.ConnectionError(), "http://h/ cannot be reached; is it running?"),
        (requests.TooManyRedirects("too many"), "http://h/ cannot be used: too many"),
        (ValueError("no header"), "http://h/ cannot be used: no header"),
    ],
)
def test_a_request_s_error_names_the_url(error: Exception, line: str) -> None:
    """A request that times out, is not connected or cannot be made is reported in one line with the URL."""
    with pytest.raises(click.ClickException) as caught, http_errors("http://h/", 3.0):
        raise error
    assert caught.value.message == line
