"""What connects the stack with your own accounts, in files: a webhook's secret, and a token of Slack."""

import os
from pathlib import Path

from local.processes import NotReady
from pipeline.errors import Unavailable
from pipeline.settings import RotatingToken

# What a function needs to reach Slack itself from here; it has a clean environment otherwise.
_NETWORK = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")


def read_secret(path: Path) -> str:
    """Return a webhook's secret without the newline that ends a file, as ingest reads it. Raises NotReady."""
    try:
        content = path.read_bytes()
        if content.endswith(b"\n"):
            content = content.removesuffix(b"\n").removesuffix(b"\r")
        secret = content.decode()
    except OSError as error:
        raise NotReady(f"the secret's file {path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise NotReady(f"the secret's file {path} is not UTF-8 text") from error
    if not secret.strip():
        raise NotReady(f"the secret's file {path} is empty; store the webhook's secret in it")
    return secret


def check_slack_token(path: Path) -> None:
    """Raise NotReady if notify_slack could not read a token from the file."""
    try:
        RotatingToken(name="SLACK_TOKEN", file=path).read()
    except Unavailable as error:
        problem = str(error).removeprefix("SLACK_TOKEN_FILE ").removesuffix(".")
        raise NotReady(f"the token's file {path} {problem}") from error


def write_slack_token(folder: Path, token: str) -> Path:
    """Write the stand-in's token into the folder, and return the file."""
    path = folder / "slack-token"
    path.touch(mode=0o600)
    path.write_text(token)
    return path


def network() -> dict[str, str]:
    """Return the variables of this process that lead to Slack: a proxy, and whom to trust."""
    return {name: os.environ[name] for name in _NETWORK if name in os.environ}
