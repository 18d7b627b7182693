"""GitHub's refusals."""

from collections.abc import Mapping, Sequence
from typing import Any


class ApiError(Exception):
    """A refusal as GitHub writes it: status, message and, for invalid fields, a list of errors."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.content: dict[str, Any] = {
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(status),
            **({"errors": list(errors)} if errors else {}),
        }


def not_found() -> ApiError:
    """Return the refusal for what does not exist, or what the token may not see."""
    return ApiError(404, "Not Found")


def invalid(field: str, what: str) -> ApiError:
    """Return the refusal of one field of a hook."""
    error = {"resource": "Hook", "code": "custom", "field": field, "message": f"{field} {what}"}
    return ApiError(422, "Validation Failed", [error])


def not_imitated(what: str) -> ApiError:
    """Return the refusal of what GitHub would do and this stand-in does not."""
    return ApiError(422, f"The stand-in does not imitate {what}.")
