"""./issuewire (python -m ops): the operator's commands. An error is one line; only success exits with 0."""

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the imports without a traceback

import click
from click.shell_completion import get_completion_class

from ops import __version__
from ops.backfill.command import backfill
from ops.dead_letters.command import dead_letters
from ops.doctor.command import doctor
from ops.replay.command import replay
from ops.report.command import report
from ops.routes.command import routes
from ops.schema import schema
from ops.send.command import send
from ops.switches import break_
from ops.team import team
from ops.triage.command import triage
from ops.why.command import why

NAME = "issuewire"
_COMPLETE = "_ISSUEWIRE_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=NAME)
def ops() -> None:
    """Operate Issuewire: send and explain deliveries, make the tables, read the past and the numbers."""


@ops.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the shell's completion script.

    \b
      bash, in ~/.bashrc:       eval "$(path/to/issuewire completion bash)"
      zsh, in ~/.zshrc:         eval "$(path/to/issuewire completion zsh)"
      fish, in config.fish:     path/to/issuewire completion fish | source
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    known = get_completion_class(shell)
    assert known is not None, f"click knows no shell {shell}"
    click.echo(known(ops, {}, NAME, _COMPLETE).source())


_COMMANDS = (send, break_, schema, backfill, report, routes, team, triage, why, doctor, dead_letters, replay)
for _command in _COMMANDS:
    ops.add_command(_command)

if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    ops(prog_name=NAME, complete_var=_COMPLETE)  # click answers Ctrl-C with "Aborted!" and status 1
