"""Reads the hold, and carries out what is to be done with its messages: plan, question, act."""

import json
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import batched

import click

from clients.pubsub.held_messages import HeldMessage, HeldMessages
from metrics.wording import count
from ops.cli import confirm
from ops.dead_letters.letter import Letter, choose, summary
from ops.progress import Progress, Step
from ops.replay.subscription import check_subscription
from ops.settings import hold_of, read_topic
from pipeline.errors import Unavailable

PULL = 50
SHOWN = 20  # lines of a plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is done to messages, and the words about it."""

    done: str
    question: str
    stage: str
    act: Callable[[HeldMessages, Sequence[HeldMessage]], None]
    needs_reader: bool = False


REPLAY = Deed(
    done="replayed",
    question="Publish again",
    stage="Publishing",
    act=HeldMessages.redrive,
    needs_reader=True,
)
DISCARD = Deed(done="discarded", question="Delete for good", stage="Deleting", act=HeldMessages.discard)


def perform(deed: Deed, ids: Sequence[str] | None, limit: int, *, yes: bool, as_json: bool) -> None:
    """Print the plan, ask, and act on the messages with these ids, or on all.

    Raises ClickException and Unavailable.
    """
    with reading(limit) as (topic, held, letters):
        chosen = letters if ids is None else choose_known(letters, ids)
        if chosen:
            if deed.needs_reader:
                _check_readers(topic, chosen)
            for letter in chosen[:SHOWN]:
                click.echo("  ".join(filter(None, (letter.id, letter.title, letter.issue))), err=True)
            if len(chosen) > SHOWN:
                click.echo(f"... and {count(len(chosen) - SHOWN, 'more message', 'more messages')}", err=True)
            confirm(f"{deed.question}: {summary(chosen)}?", yes=yes)
            Progress().show(_steps(deed, held, chosen))
    if as_json:
        click.echo(json.dumps({deed.done: len(chosen), "ids": [letter.id for letter in chosen]}))
    else:
        click.echo(f"{summary(chosen)} {deed.done}." if chosen else "No message is held.")


def _check_readers(topic: str, chosen: Sequence[Letter]) -> None:
    """Raise ClickException for messages of a subscription that is gone: no one would read them again."""
    for name in sorted({letter.message.gave_up for letter in chosen} - {None}, key=str):
        try:
            check_subscription(topic, str(name))
        except Unavailable as error:
            if error.reason != "subscription_missing":
                raise
            gone = [letter.message for letter in chosen if letter.message.gave_up == name]
            ids = [message.message_id for message in gone[:SHOWN]]  # another subscription's stay
            raise click.ClickException(
                f"{error} No one would read again what it gave up on: {count(len(gone), 'message')}. "
                f"Deploy its function, or run: ./issuewire dead-letters discard {shlex.join(ids)}"
            ) from error


def _steps(deed: Deed, held: HeldMessages, chosen: Sequence[Letter]) -> Iterator[Step]:
    done = 0
    for group in batched(chosen, PULL, strict=False):
        try:
            deed.act(held, [letter.message for letter in group])
        except Unavailable as error:
            how_far = f"{done:,} of {count(len(chosen), 'message')} {deed.done}; run the same command again."
            raise Unavailable(error.reason, f"{error} {how_far}") from error
        done += len(group)
        yield Step(stage=deed.stage, done=done / len(chosen), text=count(done, "message"))


@contextmanager
def reading(limit: int) -> Iterator[tuple[str, HeldMessages, list[Letter]]]:
    """Yield the topic, the hold, and what is on it; what is still there at the end is released."""
    topic = read_topic(os.environ)
    click.echo(f"Reading {hold_of(topic)} ...", err=True)
    with HeldMessages(hold_of(topic), topic) as held:
        letters: list[Letter] = []
        wanted = found = 1
        while found == wanted and len(letters) < limit:
            wanted = min(PULL, limit - len(letters))
            messages = held.pull(wanted)
            found = len(messages)
            letters += map(Letter.of, messages)
        if len(letters) == limit:
            click.echo(f"There may be more: only {count(limit, 'message')} may be read (--limit).", err=True)
        yield topic, held, letters


def choose_known(letters: Sequence[Letter], ids: Sequence[str]) -> list[Letter]:
    """Return the letters with these ids. Raises ClickException for an id that none has."""
    chosen, unknown = choose(letters, ids)
    if unknown:
        raise click.ClickException(
            f"no held message has the id {', '.join(unknown)}; see ./issuewire dead-letters list"
        )
    return chosen
