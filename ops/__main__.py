"""python -m ops: the operator's commands, one line of error each, exit status 0 only on success."""

import click

from ops.backfill.command import backfill
from ops.report.command import report
from ops.routes.command import routes
from ops.schema import schema
from ops.send.command import send


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def ops() -> None:
    """Issuewire's commands for the operator."""


ops.add_command(send)
ops.add_command(schema)
ops.add_command(backfill)
ops.add_command(report)
ops.add_command(routes)

if __name__ == "__main__":
    ops(prog_name="python -m ops")  # click answers Ctrl-C by "Aborted!" and status 1
