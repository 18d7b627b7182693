"""The command drill: its seed, its channels, and what it prints at the end."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from local.drill.ledger import Balance
from local.drill.run import Drill, neighbours
from local.drill.schedule import Schedule
from local.stack.folders import unwritable
from local.stack.options import Options
from local.stack.stack import running
from local.terminal import Terminal

# A channel each: Slack takes one post a second there, and more than ten new issues a minute are listed.
CHANNELS = {
    f"acme/{name}": f"C{number:010}"
    for number, name in enumerate(("app", "api", "cli", "docs", "infra", "site", "sdk", "tools"), 1)
}


def run(options: Options, terminal: Terminal, schedule: Schedule, *, as_json: bool) -> bool:
    """Run one drill on a stack of its own; return whether the ledger balances."""
    faults = len(schedule.faults) + len(schedule.repair_faults)
    terminal.line(
        f"Issuewire drill: seed {schedule.seed}, {schedule.seconds:.0f} s, "
        f"{len(schedule.steps)} changes of issues, {faults} faults."
    )
    chosen = replace(options, pubsub="builtin", routes=write_routes(options.state))
    with (
        neighbours(chosen, ",".join(CHANNELS)) as (beside, ready),
        running(ready, terminal.part) as stack,
    ):
        terminal.title("What happens")
        drill = Drill(stack, beside, schedule, terminal)
        found = drill.run()
    show(found, drill, terminal)
    if as_json:
        sys.stdout.write(json.dumps(summary(schedule, drill, found), indent=2) + "\n")
    return found.is_even


def write_routes(state: Path) -> Path:
    """Write the routes of a drill, and return their file. Raises NotReady."""
    routes = [
        f'[[route]]\nname = "{name.partition("/")[2]}"\nchannels = ["{channel}"]\nrepositories = ["{name}"]\n'
        for name, channel in CHANNELS.items()
    ]
    path = state / "drill-routes.toml"
    try:
        state.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(routes))
    except OSError as error:
        raise unwritable(state, error) from error
    return path


def show(found: Balance, drill: Drill, terminal: Terminal) -> None:
    """Print the runs of reconcile and the ledger, and name what is lost, doubled or out of date."""
    terminal.title("reconcile")
    names = dict.fromkeys(
        name for each in drill.runs for name, value in each.items() if isinstance(value, int)
    )
    terminal.table(
        [{"run": n, **{name: each.get(name, 0) for name in names}} for n, each in enumerate(drill.runs, 1)]
    )
    terminal.title("Ledger")
    terminal.line(f"  {drill.failed} of GitHub's {drill.attempts} attempts to deliver have failed.")
    for entry in found.entries:
        terminal.ledger(*entry)
    for line in (*found.lost, *found.doubled, *found.outdated):
        terminal.line(f"  {line}", "bold red")
    terminal.line("")


def summary(schedule: Schedule, drill: Drill, found: Balance) -> dict[str, Any]:
    """Return the drill as JSON."""
    return {
        "seed": schedule.seed,
        "seconds": schedule.seconds,
        "changes": len(schedule.steps),
        "faults": [
            {"what": fault.kind, "begins": round(fault.begins, 1), "ends": round(fault.ends, 1)}
            for fault in schedule.faults
        ],
        "faults_of_the_first_run": [
            {"what": fault.kind, "begins": round(fault.begins, 1), "ends": round(fault.ends, 1)}
            for fault in schedule.repair_faults
        ],
        "attempts": drill.attempts,
        "failed": drill.failed,
        "reconcile": drill.runs,
        "ledger": [entry._asdict() for entry in found.entries],
        "lost": found.lost,
        "doubled": found.doubled,
        "outdated": found.outdated,
        "balanced": found.is_even,
    }
