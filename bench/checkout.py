"""A checkout of the project that is measured: this one, or another one that this one is compared with."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.processes import ROOT

_READ_ENVIRONMENT = """
set -Eeuo pipefail
for part in common settings tables; do source "deploy/$part.sh"; done
read_settings
load_table "$1"
for value in "${ENVIRONMENT[@]}"; do printf '%s\\0' "$value"; done
"""


class CheckoutError(Exception):
    """There is no such checkout, or it cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """`name` says in reports what it is."""

    name: str
    folder: Path

    def deployed_environment(self, function: str) -> dict[str, str]:
        """Return the variables that deploy.sh gives a function: ENVIRONMENT in deploy/functions/NAME.sh."""
        done = subprocess.run(
            ["bash", "-c", _READ_ENVIRONMENT, "bash", function],
            cwd=self.folder,
            env=os.environ | {"PROJECT": "bench-project"},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        if done.returncode:
            raise CheckoutError(f"deploy/functions/{function}.sh of {self.name}: {done.stderr.strip()}")
        return parse_environment(done.stdout)


def parse_environment(text: str) -> dict[str, str]:
    """Read NAME=VALUE, each ended by a NUL."""
    return dict(entry.split("=", 1) for entry in text.split("\0")[:-1])


@contextlib.contextmanager
def other_checkout(name: str, folder: Path) -> Iterator[Checkout]:
    """Yield the checkout in a folder, or of a git ref: that one is made below `folder`, and removed."""
    if Path(name).is_dir():
        yield Checkout(name=name, folder=Path(name).resolve())
        return
    place = folder / "before"
    try:
        _git("worktree", "add", "--quiet", "--detach", str(place), name)
        commit = _git("log", "-1", "--format=%h", name).strip()
        yield Checkout(name=commit, folder=place)
    finally:
        if place.exists():
            _git("worktree", "remove", "--force", str(place))


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        raise CheckoutError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
