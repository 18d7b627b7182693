"""ops dead-letters: the commands."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from ops.cli import json_option, one_line_errors, yes_option
from ops.dead_letters.hold import DISCARD, REPLAY, choose_known, perform, reading
from ops.dead_letters.letter import Letter, summary
from ops.dead_letters.reasons import Reasons, from_cloud, from_files
from ops.local_stack import local_option
from ops.settings import project_of

_ids = click.argument("ids", metavar="[ID]...", nargs=-1)
_all = click.option("--all", "everything", is_flag=True, help="All messages that are held.")
_limit = click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=1_000,
    show_default=True,
    help="The most messages that are read.",
)
_logs = click.option(
    "--logs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with the functions' logs, instead of Cloud Logging.",
)


@click.group("dead-letters")
def dead_letters() -> None:
    """Read what Pub/Sub gave up on, and drive it again.

    A message that a subscriber has not acknowledged in 100 attempts is held, unchanged, for 31 days.

    \b
    Environment:
      PUBSUB_TOPIC          projects/P/topics/T; the hold is projects/P/subscriptions/T-dead-hold
      PUBSUB_EMULATOR_HOST  host:port of a local Pub/Sub
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped


@dead_letters.command("list")
@local_option
@_limit
@_logs
@json_option
@one_line_errors()
def list_command(*, limit: int, logs: Path | None, as_json: bool) -> None:
    """List the messages that are held, and leave them there.

    The oldest comes first. Prints id, event, issue, the subscription that gave up, the age, and the reason
    from the function's log if gcloud can read it.

    \b
    Example:
      ./issuewire dead-letters list
    """  # noqa: D301 - as above
    with reading(limit) as (topic, _, letters):
        pass
    _print(letters, _reasons(topic, letters, logs), as_json=as_json)


@dead_letters.command("show")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@local_option
@_limit
@_logs
@json_option
@one_line_errors()
def show_command(ids: tuple[str, ...], *, limit: int, logs: Path | None, as_json: bool) -> None:
    """Show messages with their decoded bodies, and leave them there.

    ID is the delivery's, or that of the message. A delivery is held once for each subscription that gave up.

    \b
    Example:
      ./issuewire dead-letters show 72d3162e-cc78-11e3-81ab-4c9367dc0958
    """  # noqa: D301 - as above
    with reading(limit) as (topic, _, letters):
        chosen = choose_known(letters, ids)
    _print(chosen, _reasons(topic, chosen, logs), as_json=as_json, with_body=True)


@dead_letters.command("replay")
@_ids
@_all
@local_option
@_limit
@yes_option
@json_option
@one_line_errors()
def replay_command(ids: tuple[str, ...], *, everything: bool, limit: int, yes: bool, as_json: bool) -> None:
    """Publish messages again, for the subscription that gave up alone.

    Fix the cause first. A message leaves the hold once Pub/Sub has confirmed that it is published. Nothing
    doubles: one row, one card. A message that fails another 100 times is held again. triage does nothing
    about one that is replayed.

    \b
    Examples:
      ./issuewire dead-letters replay --all
      ./issuewire dead-letters replay 72d3162e-cc78-11e3-81ab-4c9367dc0958 --yes
    """  # noqa: D301 - as above
    perform(REPLAY, _wanted(ids, everything=everything), limit, yes=yes, as_json=as_json)


@dead_letters.command("discard")
@_ids
@_all
@local_option
@_limit
@yes_option
@json_option
@one_line_errors()
def discard_command(ids: tuple[str, ...], *, everything: bool, limit: int, yes: bool, as_json: bool) -> None:
    """Delete messages from the hold, for good.

    \b
    Example:
      ./issuewire dead-letters discard 72d3162e-cc78-11e3-81ab-4c9367dc0958
    """  # noqa: D301 - as above
    perform(DISCARD, _wanted(ids, everything=everything), limit, yes=yes, as_json=as_json)


def _wanted(ids: tuple[str, ...], *, everything: bool) -> tuple[str, ...] | None:
    """Return the ids, or None for all messages. Raises UsageError unless it is one or the other."""
    if bool(ids) == everything:
        raise click.UsageError("give one or more IDs, or --all")
    return ids or None


def _reasons(topic: str, letters: Sequence[Letter], logs: Path | None) -> Reasons:
    """Read the reasons, and say why if they are left out."""
    reasons = from_cloud(project_of(topic), letters) if logs is None else from_files(logs, letters)
    if reasons.left_out and letters:
        click.echo(f"Reasons are left out: {reasons.left_out}.", err=True)
    return reasons


def _print(letters: Sequence[Letter], reasons: Reasons, *, as_json: bool, with_body: bool = False) -> None:
    now = datetime.now(UTC)
    if as_json:
        found = [
            letter.as_json(now, reasons.of(letter))
            | ({"body": letter.text if letter.body is None else letter.body} if with_body else {})
            for letter in letters
        ]
        click.echo(json.dumps({"messages": found}))
        return
    for letter in letters:
        for line in letter.lines(now, reasons.of(letter)):
            click.echo(line)
        if with_body:
            click.echo(letter.text)
    if not with_body:
        click.echo(f"{summary(letters)} held." if letters else "No message is held.")
