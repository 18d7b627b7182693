"""Each class of error says what the platform does, and each reason what is counted."""

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
    """Every failure is a PipelineError with a slug to count and a sentence to read."""
    assert isinstance(error, PipelineError)
    assert error.reason.replace("_", "").isalpha()
    assert error.reason == error.reason.lower()
    assert str(error).endswith((".", "set"))


def test_a_configuration_error_names_all_problems() -> None:
    """Wrong settings are reported together in one sentence, and one by one."""
    error = ConfigurationError(["A is not set", "B is not a URL"])
    assert str(error) == "Wrong configuration: A is not set; B is not a URL"
    assert error.problems == ("A is not set", "B is not a URL")


def test_a_refusal_carries_its_status() -> None:
    """A refusal has the status to answer with."""
    assert Rejected(HTTPStatus.UNAUTHORIZED, "signature_wrong", "Wrong.").status == 401


def test_no_class_of_failure_is_a_kind_of_another() -> None:
    """One `except` clause never catches two kinds of failure."""
    kinds = [ConfigurationError, Rejected, Malformed, Unavailable]
    assert not [(a, b) for a in kinds for b in kinds if a is not b and issubclass(a, b)]
