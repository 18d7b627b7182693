"""ops send: sign one delivery as GitHub does, and post it to an ingest URL."""

import json
import sys
import time
import uuid
from typing import IO, Any

import click

from ops.cli import json_option
from ops.send import caused
from ops.send.outgoing import Draft, from_file, from_options
from ops.send.preparing import prepared, preview
from ops.send.target import SIGNATURE, Target, find_target, headers, post, read_secret
from pipeline.errors import Malformed
from pipeline.events import parse_payload


@click.command()
@click.argument("file", required=False)
@click.option("--url", help="URL of ingest.  [default: that of the running make serve]")
@click.option("--secret-file", type=click.File("rb"), help="File with the webhook's secret; - is stdin.")
@click.option(
    "--secret",
    envvar="ISSUEWIRE_WEBHOOK_SECRET",
    show_envvar=True,
    help="The secret itself, for local use: other users of this machine can see an option.",
)
@click.option("--event", help="X-GitHub-Event.  [default: that of FILE, guessed if need be; else issues]")
@click.option("--action", help="What happens.  [default: opened, or created for a comment]")
@click.option("--number", type=click.IntRange(min=1), help="Number of the issue.  [default: 1]")
@click.option("--repository", metavar="OWNER/REPO", help="Repository.  [default: acme/app]")
@click.option("--author", metavar="LOGIN", help="Who acts.  [default: octocat]")
@click.option("--title", help="Title of the issue.  [default of a new one: A test issue]")
@click.option(
    "--body", help="Text of the issue or of the comment.  [default of a new one: Sent by issuewire send.]"
)
@click.option("--label", help="Label that is set or removed, by default bug; or that a new issue has.")
@click.option("--assignee", metavar="LOGIN", help="Who is assigned or unassigned.  [default: who acts]")
@click.option("--reason", help="Why it is closed: completed, not_planned or duplicate.  [default: completed]")
@click.option("--delivery-id", help="X-GitHub-Delivery.  [default: a new GUID]")
@click.option("--print", "printing", is_flag=True, help="Print the delivery; send and remember nothing.")
@click.option("--no-wait", is_flag=True, help="Do not wait for what the functions of make serve do with it.")
@json_option
def send(  # noqa: PLR0913 - one for each option
    *,
    file: str | None,
    url: str | None,
    secret: str | None,
    secret_file: IO[bytes] | None,
    event: str | None,
    delivery_id: str | None,
    printing: bool,
    no_wait: bool,
    as_json: bool,
    **values: Any,
) -> None:
    """Sign one delivery and send it to ingest.

    FILE is a sample, or a payload as GitHub shows it under the webhook's Recent deliveries; - is stdin.
    It is sent as it is. Without FILE, the options describe an event.

    An issue is remembered by repository and number, and the next event changes only what it is about. With
    make serve the issue is that of its GitHub, which has what triage did too:

    \b
      issuewire send samples/issues.opened.json
      issuewire send --title "Export fails" --number 7
      issuewire send --event issue_comment --author mona --body "I can see it." --number 7
      issuewire send --event issue_comment --action edited --author mona --body "Fixed." --number 7
      issuewire send --action labeled --label urgent --number 7
      issuewire send --action closed --author mona --number 7

    With make serve, the outcome says what the functions did with the delivery within three seconds.

    The actions of issues are opened, edited, closed, reopened, labeled, unlabeled, assigned, unassigned and
    deleted; those of issue_comment are created, edited and deleted. An edit or a deletion is about the last
    comment. `--event repository` deletes a repository, and `--event ping` is a new webhook's ping.

    To another URL, and with other tools:

    \b
      issuewire send payload.json --url https://... --secret-file secret.txt
      issuewire send --title "Export fails" --print >delivery
      curl -H @<(sed '/^$/,$d' delivery) --data-binary @<(sed '1,/^$/d' delivery) URL
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    if file is None:
        draft = from_options(event, values)
    elif given := [name for name, value in values.items() if value is not None]:
        raise click.UsageError(f"FILE is sent as it is; leave out --{given[0]}")
    else:
        draft = from_file(file, event)
    key, delivery_id = read_secret(secret, secret_file), delivery_id or str(uuid.uuid4())
    if printing:
        print_delivery(draft, find_target(url, key, required=False), delivery_id, as_json=as_json)
        return
    target = find_target(url, key)
    with prepared(draft, target) as outgoing:
        click.echo(f"Sending {outgoing.title} ({len(outgoing.body):,} bytes) to {target.url} ...", err=True)
        started = time.monotonic()
        answer = post(target, outgoing.event, delivery_id, outgoing.body)
        outcome: dict[str, Any] = {
            "status": answer.status_code,
            "delivery_id": delivery_id,
            "milliseconds": round((time.monotonic() - started) * 1000),
            "answer": answer.text.strip(),
        }
        line = "{status} in {milliseconds} ms: {answer}".format_map(outcome)
        if answer.status_code not in range(200, 300):
            click.echo(json.dumps(outcome) if as_json else line)
            sys.exit(1)
    if not as_json:
        click.echo(line)
    functions = None if no_wait else caused.wait_for(target, delivery_id, answer.text)
    if as_json:
        click.echo(json.dumps(outcome if functions is None else outcome | {"functions": functions}))
    elif functions is not None:
        click.echo("\n".join(caused.lines(functions)))


def print_delivery(draft: Draft, target: Target, delivery_id: str, *, as_json: bool) -> None:
    """Print headers, an empty line and the exact body; or as JSON, a sample, which `send` reads."""
    outgoing = preview(draft, target)
    fields = headers(outgoing.event, delivery_id, outgoing.body, target.secret)
    if as_json or not target.secret:
        del fields[SIGNATURE]
    if as_json:
        try:
            click.echo(json.dumps({"headers": fields, "body": parse_payload(outgoing.body)}, indent=1))
        except Malformed as error:
            raise click.UsageError(f"--json needs a JSON object: {error}") from error
        return
    click.echo("".join(f"{name}: {value}\n" for name, value in fields.items()))
    click.echo(outgoing.body, nl=False)
    click.echo(
        f"Printed {outgoing.title}{'' if target.secret else ', not signed'}; nothing was sent.", err=True
    )
