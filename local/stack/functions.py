"""The functions that run here: each one that has a table in deploy/functions/, with its trigger."""

import re
from dataclasses import dataclass

from local.processes import ROOT

_TRIGGER = re.compile(r"^TRIGGER=(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """`trigger` is that of deploy/functions/NAME.sh: `push` for a subscriber of the topic."""

    name: str
    trigger: str

    @property
    def subscription(self) -> str | None:
        """Return the name of its subscription, None if it is no subscriber."""
        return self.name.replace("_", "-") if self.trigger == "push" else None


def read_functions() -> tuple[Function, ...]:
    """Return the functions by name. Raises ValueError for a table without a trigger."""
    functions = []
    for table in sorted((ROOT / "deploy" / "functions").glob("*.sh")):
        trigger = _TRIGGER.search(table.read_text(encoding="utf-8"))
        if trigger is None:
            raise ValueError(f"{table} sets no TRIGGER")
        functions.append(Function(name=table.stem, trigger=trigger[1]))
    return tuple(functions)
