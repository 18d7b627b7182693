"""What the stack reads and writes: the routes file, and a folder for the logs of one run."""

import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from functions.notify_slack.routing import routes_file
from local.orphans import is_running
from local.processes import NotReady
from local.slack.server import CHANNELS
from pipeline.errors import ConfigurationError
from pipeline.team import Team

_KEPT_RUNS = 2


def read_workspace(routes: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return Slack's channels and users, each as {id: name}, that the file names. Raises NotReady.

    A channel of the repository's own routes keeps its name; any other is named after its route.
    """
    try:
        found = routes_file.parse(routes.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise NotReady(
            f"{routes} cannot be read ({type(error).__name__}); name another with --routes"
        ) from error
    except ConfigurationError as error:
        raise NotReady("\n".join(error.problems)) from error
    named = {channel: route.name for route in reversed(found.routes) for channel in route.channels}
    channels = {channel: CHANNELS.get(channel, name) for channel, name in named.items()}
    return channels, {user: login for login, user in found.people.items()}


def read_team(environment: Mapping[str, str], folder: Path) -> Team:
    """Return the team of TEAM_FILE or of `folder`. Raises NotReady."""
    try:
        return Team.read(environment, folder)
    except ConfigurationError as error:
        raise NotReady("\n".join(error.problems)) from error


def make_run_folder(state: Path) -> Path:
    """Return a new folder for logs and data; of the runs that have ended, two stay. Raises NotReady."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        ended = [run for run in state.glob("run-*") if not is_running(run)]
        runs = sorted(ended, key=lambda path: path.stat().st_mtime)
        for old in runs[:-_KEPT_RUNS]:
            shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"run-{time.strftime('%Y%m%d-%H%M%S')}-", dir=state))
    except OSError as error:
        raise unwritable(state, error) from error


def unwritable(state: Path, error: OSError) -> NotReady:
    """Return the error for a state folder that cannot be used."""
    return NotReady(f"{state} cannot be written ({error.strerror}); name another folder with --state")
