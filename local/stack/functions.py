"""The functions that run here: those with a table in deploy/functions/."""

import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from local.processes import ROOT, Child

TRIAGE = "triage"  # its subscription is called so, too
_TRIGGER = re.compile(r"^TRIGGER=(\S+)$", re.MULTILINE)


def read_functions(scheduled: Collection[str] = (), *, triage: bool = False) -> dict[str, str | None]:
    """Return {function: its subscription, None if its trigger is not `push`}, by name.

    Of what a schedule calls, only those in `scheduled` are there, and triage only if it is asked for. Raises
    ValueError for a table without a trigger.
    """
    functions = {}
    for table in sorted((ROOT / "deploy" / "functions").glob("*.sh")):
        trigger = _TRIGGER.search(table.read_text(encoding="utf-8"))
        if trigger is None:
            raise ValueError(f"{table} sets no TRIGGER")
        if table.stem == TRIAGE:
            continue
        if trigger[1] != "schedule" or table.stem in scheduled:
            functions[table.stem] = table.stem.replace("_", "-") if trigger[1] == "push" else None
    return functions | ({TRIAGE: TRIAGE} if triage else {})


def function_server(name: str, port: int, folder: Path, environment: Mapping[str, str]) -> Child:
    """Return the server of a function, not started; its log is in `folder`."""
    command = [sys.executable, "-m", "functions_framework", "--source", f"functions/{name}/main.py"]
    command += ["--target", name, "--host", "127.0.0.1", "--port", str(port)]
    return Child(name=name, command=command, log=folder / f"{name}.log", environment=environment)
