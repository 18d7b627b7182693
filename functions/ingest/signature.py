"""GitHub's HMAC over the raw bytes: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries."""

import hashlib
import hmac
import re
from collections.abc import Iterable

_FORM = re.compile(r"sha256=[0-9a-f]{64}")


def sign(body: bytes | bytearray, secret: bytes) -> str:
    """Return the X-Hub-Signature-256 header that GitHub would send."""
    return "sha256=" + hmac.digest(secret, body, hashlib.sha256).hex()


def well_formed(header: str | None) -> bool:
    """Return whether the header has the right form; for one that has not, nothing else is read."""
    return header is not None and _FORM.fullmatch(header) is not None


def verify(body: bytes | bytearray, header: str, secrets: Iterable[bytes]) -> bool:
    """Return whether one of `secrets` signed `body`. Bytes are compared in constant time."""
    given = header.encode("latin-1", "replace")
    matches = [hmac.compare_digest(sign(body, secret).encode(), given) for secret in secrets if secret]
    return any(matches)
