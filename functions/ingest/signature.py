"""GitHub's HMAC over the raw bytes: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries."""

import hashlib
import hmac
import re
from collections.abc import Iterable

_FORM = re.compile(r"sha256=[0-9a-f]{64}")


def sign(body: bytes, secret: bytes) -> str:
    """Return the X-Hub-Signature-256 header that GitHub would send."""
    return "sha256=" + hmac.digest(secret, body, hashlib.sha256).hex()


def well_formed(header: str | None) -> bool:
    """Tell whether the header could be right, so that nothing is looked up for one that cannot."""
    return header is not None and _FORM.fullmatch(header) is not None


def verify(body: bytes, header: str, secrets: Iterable[bytes]) -> bool:
    """Tell whether any of `secrets` signs `body` so; bytes are compared, in constant time."""
    given = header.encode("latin-1", "replace")
    matches = [hmac.compare_digest(sign(body, secret).encode(), given) for secret in secrets if secret]
    return any(matches)
