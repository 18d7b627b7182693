"""A copy of what deploy.sh needs, so that a run meets no settings, lock or edit of the checkout itself."""

import shutil
from pathlib import Path

__all__ = ["ROOT", "make_checkout"]

ROOT = Path(__file__).parents[2]


def make_checkout(folder: Path) -> Path:
    """Copy deploy.sh and all that it reads into `folder`/checkout; return that folder."""
    copy = folder / "checkout"
    copy.mkdir(parents=True)
    shutil.copy2(ROOT / "deploy.sh", copy)
    for room in ("deploy", "functions", "clients", "pipeline", "sql", "config"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    return copy
