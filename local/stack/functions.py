"""The functions that run here: those with a table in deploy/functions/."""

import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from local.processes import ROOT, Child

_TRIGGER = re.compile(r"^TRIGGER=(\S+)$", re.MULTILINE)
_NEEDS = re.compile(r"^NEEDS=", re.MULTILINE)


def read_functions(optional: Collection[str] = ()) -> dict[str, str | None]:
    """Return {function: its subscription, None if its trigger is not `push`}, by name.

    Of those that need something of a deployment (NEEDS), only those in `optional` are there. Raises
    ValueError for a table without a trigger.
    """
    functions = {}
    for table in sorted((ROOT / "deploy" / "functions").glob("*.sh")):
        text = table.read_text(encoding="utf-8")
        trigger = _TRIGGER.search(text)
        if trigger is None:
            raise ValueError(f"{table} sets no TRIGGER")
        if table.stem in optional or not _NEEDS.search(text):
            functions[table.stem] = table.stem.replace("_", "-") if trigger[1] == "push" else None
    return functions


def function_server(name: str, port: int, folder: Path, environment: Mapping[str, str]) -> Child:
    """Return the server of a function, not started; its log is in `folder`."""
    command = [sys.executable, "-m", "functions_framework", "--source", f"functions/{name}/main.py"]
    command += ["--target", name, "--host", "127.0.0.1", "--port", str(port)]
    return Child(name=name, command=command, log=folder / f"{name}.log", environment=environment)
