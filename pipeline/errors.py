"""Every way this pipeline can fail, each with the reason that is counted.

The class says what the platform does, the `reason` slug says what is logged and counted:

    PipelineError
    |-- ConfigurationError   settings are wrong; answered 5xx until they are mended
    |-- Rejected             ingest refuses a request with `status`; nothing is published
    |-- Malformed            a message that cannot be understood; raised, so it is dead-lettered
    `-- Unavailable          a neighbour did not do its part; raised, so it is retried
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
    """The request is refused; the message goes to the caller, so it never quotes the request."""

    def __init__(self, status: HTTPStatus, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.status = status


class Malformed(PipelineError):
    """The message on the topic breaks the contract; only a fix of its sender or of us can help."""


class Unavailable(PipelineError):
    """Pub/Sub, Secret Manager, Slack or BigQuery failed or refused; trying again may succeed."""
