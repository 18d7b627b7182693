"""The issues that `send` has sent to one ingest: a file each, so that the next event continues the issue.

The folder's name is made of the URL and the secret. make serve makes up a new secret at every start, so an
issue of an earlier one is not known to the next.
"""

import fcntl
import hmac
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from ops import ROOT
from ops.send.known_issue import KnownIssue
from ops.send.target import TIMEOUT_SECONDS, Target

FOLDER = ROOT / ".local" / "sent"
_KEPT_SECONDS = 30 * 24 * 3600.0  # after the last change
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueMemory:
    """The issues that one ingest has accepted."""

    folder: Path

    @classmethod
    def of(cls, target: Target) -> "IssueMemory":
        """Return the memory of a target, which may be empty."""
        key = hmac.digest(target.secret, target.url.rstrip("/").encode(), "sha256")
        return cls(folder=FOLDER / key.hex()[:16])

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other `send` to this ingest between reading and writing. Raises ClickException."""
        with _errors(self.folder):
            if not self.folder.exists():
                _remove_old(self.folder.parent)
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.folder, os.O_RDONLY)
        try:
            _lock(handle)
            yield
        finally:
            os.close(handle)

    def recall(self, name: tuple[str, int]) -> KnownIssue | None:
        """Return an issue by repository and number, None if it is not known. Raises ClickException."""
        path = self._path(name)
        try:
            return KnownIssue.from_json(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise click.ClickException(f"{path} is damaged; remove it, and the issue is a new one") from error
        except OSError as error:
            raise click.ClickException(f"{path} cannot be read: {error.strerror}") from error

    def keep(self, name: tuple[str, int], issue: KnownIssue | None) -> None:
        """Write the issue in one step, or forget it if there is none any more. Raises ClickException."""
        path = self._path(name)
        with _errors(path):
            if issue is None:
                path.unlink(missing_ok=True)
                return
            draft = path.with_suffix(".new")
            draft.write_text(issue.to_json(), "utf-8")
            draft.replace(path)

    def _path(self, name: tuple[str, int]) -> Path:
        """Return the issue's file; to GitHub owner/NAME and owner/name are the same."""
        repository, number = name
        return self.folder / f"{repository.lower().replace('/', '~')}~{number}.json"


def _lock(handle: int) -> None:
    """Wait until no other process holds the lock. Raises ClickException after the time of one delivery."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        if time.monotonic() > deadline:
            raise click.ClickException("another send to this URL has not ended; try again")
        time.sleep(_POLL_SECONDS)


def _remove_old(parent: Path) -> None:
    """Remove the memories that were not used for a month."""
    for folder in parent.glob("*"):
        with suppress(FileNotFoundError):  # another process removes them too
            if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
