"""Every way in which the pipeline can fail.

The class says what the platform does; the `reason` slug says what is logged and counted:

    PipelineError
    |-- ConfigurationError   settings are wrong; answered with 5xx until they are fixed
    |-- Rejected             ingest refuses a request with `status`; nothing is published
    |-- Malformed            a message cannot be read; raised, so it is dead-lettered
    `-- Unavailable          a service failed or refused; raised, so it is retried
        `-- Busy             other work comes first; retried too, and no error to an operator
"""

from collections.abc import Sequence
from http import HTTPStatus


class PipelineError(Exception):
    """Root of the tree; `reason` is a stable slug such as `signature_wrong`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ConfigurationError(PipelineError):
    """One or more settings are missing or wrong; `problems` names every one of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("configuration", "Wrong configuration: " + "; ".join(problems))
        self.problems = tuple(problems)


class Rejected(PipelineError):
    """The request is refused. The message goes to the caller, so it never quotes the request."""

    def __init__(self, status: HTTPStatus, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.status = status


class Malformed(PipelineError):
    """The message on the topic breaks the contract; retrying it cannot succeed without a fix."""


class Unavailable(PipelineError):
    """Pub/Sub, Secret Manager, Slack, BigQuery or GitHub failed or refused; a retry may succeed."""


class Busy(Unavailable):
    """The work has to wait for its turn, and the retry does the waiting; logged as WARNING in one line."""
