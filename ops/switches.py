"""ops break: make a part of the running make serve fail, and heal it."""

import json
from collections.abc import Sequence
from typing import Any

import click

from ops.cli import json_option
from ops.playground import Json, Playground

WELL = "well"


@click.command("break")
@click.argument("part", required=False)
@click.argument("how", required=False)
@json_option
def break_(part: str | None, how: str | None, *, as_json: bool) -> None:
    """Make a part of make serve fail, or heal it.

    PART is what fails, and HOW in which way; HOW is `well` to heal it. It is the switch of the same name on
    the playground's page. Without both, every switch and its state is listed.

    \b
      issuewire break
      issuewire break slack 429
      issuewire break slack well
      issuewire break notify_slack kill
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    playground = Playground.running()
    if part is None:
        switches = read_switches(playground)
        click.echo(json.dumps({"switches": switches}) if as_json else "\n".join(lines(switches)))
        return
    part = part.replace("-", "_")
    if how is None:
        raise click.UsageError(missing_how(part, read_switches(playground)))
    answer = playground.post("api/break", {"part": part, "how": how})
    click.echo(json.dumps(answer) if as_json else str(answer.get("text", "Done.")))


def read_switches(playground: Playground) -> list[Json]:
    """Return the switches. Raises ClickException."""
    found: Any = (playground.get("api/state") or {}).get("switches")
    if not isinstance(found, list):
        raise click.ClickException("the playground lists no switches")
    return found


def lines(switches: Sequence[Json]) -> list[str]:
    """Return one line for each switch: part, how, whether it is on, and what it does."""
    width = max((len(f"{each['part']} {each['how']}") for each in switches), default=0)
    return [
        f"{'on ' if each['on'] else 'off'}  {each['part'] + ' ' + each['how']:<{width}}  {each['text']}"
        for each in switches
    ]


def missing_how(part: str, switches: Sequence[Json]) -> str:
    """Return what to say if HOW is missing."""
    ways = [str(each["how"]) for each in switches if each["part"] == part]
    if ways:
        return f"say how {part} is to fail: {', '.join(ways)}; or {WELL}"
    return (
        f"{part} has no switch; the parts are {', '.join(dict.fromkeys(each['part'] for each in switches))}"
    )
