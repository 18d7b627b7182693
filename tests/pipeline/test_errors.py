"""The ways to fail: each says what the platform does and what is counted."""

from http import HTTPStatus

import pytest

from pipeline.errors import ConfigurationError, Malformed, PipelineError, Rejected, Unavailable


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError(["A is not set"]),
        Rejected(HTTPStatus.BAD_REQUEST, "header_missing", "No header."),
        Malformed("body_not_json", "No JSON."),
        Unavailable("bigquery_failed", "No answer."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_failure_has_a_reason(error: PipelineError) -> None:
    """Every failure is a PipelineError with a slug for the counter and a sentence for people."""
    assert isinstance(error, PipelineError)
    assert error.reason.replace("_", "").isalpha()
    assert error.reason == error.reason.lower()
    assert str(error).endswith((".", "set"))


def test_a_configuration_error_names_all_problems() -> None:
    """Wrong settings are told at once, in one sentence, and one by one."""
    error = ConfigurationError(["A is not set", "B is not a URL"])
    assert str(error) == "Wrong configuration: A is not set; B is not a URL"
    assert error.problems == ("A is not set", "B is not a URL")


def test_a_refusal_carries_its_status() -> None:
    """A refusal is answered with the status that it carries."""
    assert Rejected(HTTPStatus.UNAUTHORIZED, "signature_wrong", "Wrong.").status == 401


def test_nothing_malformed_is_taken_for_unavailable() -> None:
    """No class of failure is a kind of another, so that one `except` never answers for two."""
    kinds = [ConfigurationError, Rejected, Malformed, Unavailable]
    assert not [(a, b) for a in kinds for b in kinds if a is not b and issubclass(a, b)]
