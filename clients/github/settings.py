"""The environment of commands that read GitHub and publish; all problems are reported together."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import Unavailable
from pipeline.settings import _Reader

_TOKEN = re.compile(r"[\x21-\x7e]+")
_TOPIC = re.compile(r"projects/[^/\s]+/topics/[^/\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubSettings:
    """One of `token_file` and `token` is set; the file goes before, and is read anew for every request."""

    api_url: str
    token_file: Path | None
    token: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "GitHubSettings":
        """Raise ConfigurationError naming every wrong setting."""
        read = _Reader(environment)
        token_file, token = read.text("GITHUB_TOKEN_FILE"), read.text("GITHUB_TOKEN")
        if token_file is None and token is None:
            read.problem("GITHUB_TOKEN_FILE or GITHUB_TOKEN is not set (a token that may read issues)")
        if token is not None and not _TOKEN.fullmatch(token):
            read.problem("GITHUB_TOKEN holds spaces, line breaks or other characters that no token has")
        if token_file is not None and not (Path(token_file).is_file() and os.access(token_file, os.R_OK)):
            read.problem("GITHUB_TOKEN_FILE names no file that can be read")
        settings = cls(
            api_url=read.url("GITHUB_API_URL", "https://api.github.com") or "",
            token_file=Path(token_file) if token_file else None,
            token=token,
        )
        read.finish()
        return settings

    def read_token(self) -> str:
        """Return the token of this moment. Raises Unavailable when its file cannot be read or holds none."""
        try:
            token = self.token_file.read_text("utf-8-sig").strip() if self.token_file else self.token
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable("github_token_unreadable", "GITHUB_TOKEN_FILE cannot be read.") from error
        if not token or not _TOKEN.fullmatch(token):
            raise Unavailable("github_token_malformed", "GITHUB_TOKEN_FILE holds no token, or more than one.")
        return token


def read_topic(environment: Mapping[str, str]) -> str:
    """Return PUBSUB_TOPIC. Raises ConfigurationError."""
    read = _Reader(environment)
    topic = read.matching("PUBSUB_TOPIC", _TOPIC, "projects/P/topics/T")
    read.finish()
    return topic
