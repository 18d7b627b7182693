"""The rules file of triage: without a rule in it, triage does not run."""

from pathlib import Path

from functions.triage import rules_file
from local.processes import NotReady
from pipeline.errors import ConfigurationError


def has_rules(path: Path) -> bool:
    """Return whether the file has a rule. Raises NotReady for a file that is wrong."""
    if not path.exists():
        return False
    try:
        return bool(rules_file.read({"TRIAGE_FILE": str(path)}, path.parent))
    except ConfigurationError as error:
        raise NotReady("\n".join(error.problems)) from error
