"""The rules file of triage: without a rule in it, triage does not run."""

import tomllib
from pathlib import Path

from local.processes import NotReady


def has_rules(path: Path) -> bool:
    """Return whether the file has a rule; the function itself checks what it says. Raises NotReady."""
    try:
        return bool(tomllib.loads(path.read_text("utf-8-sig")).get("rule"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise NotReady(f"the rules of triage in {path} cannot be read ({error})") from error
