"""./issuewire (python -m ops): the operator's commands. An error is one line; only success exits with 0."""

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the imports without a traceback

import click
from click.shell_completion import get_completion_class

from ops import __version__
from ops.lazy_group import LazyGroup

NAME = "issuewire"
_COMPLETE = "_ISSUEWIRE_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")
# Each command and its module. All of them take a second to import.
_MODULES = {
    "backfill": "ops.backfill.command",
    "break": "ops.switches",
    "dead-letters": "ops.dead_letters.command",
    "doctor": "ops.doctor.command",
    "replay": "ops.replay.command",
    "report": "ops.report.command",
    "routes": "ops.routes.command",
    "schema": "ops.schema",
    "send": "ops.send.command",
    "team": "ops.team",
    "triage": "ops.triage.command",
    "why": "ops.why.command",
}


@click.group(cls=LazyGroup, modules=_MODULES, context_settings={"help_option_names": ["-h", "--help"]})
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


if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    ops(prog_name=NAME, complete_var=_COMPLETE)  # click answers Ctrl-C with "Aborted!" and status 1
