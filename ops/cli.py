"""What the commands share: errors in one line that names the fix, the question before a change, --json.

Each context manager is a decorator as well. Other errors are defects and keep their traceback. The clients
whose failures these are take half a second to import, and a command that needs none does not wait for them.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pipeline.errors import PipelineError

yes_option = click.option("--yes", is_flag=True, help="Do it without asking.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")


def has_terminal() -> bool:
    """Return whether a question can be answered."""
    return sys.stdin.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Ask on stderr, unless `yes`. Raises Abort for a no, and ClickException if no one can be asked."""
    if yes:
        return
    if not has_terminal():
        raise click.ClickException("there is no terminal to ask on; add --yes to do it")
    click.confirm(question, abort=True, err=True)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Raise ClickException for wrong settings and for every failure of a client."""
    try:
        yield
    except PipelineError as error:
        raise click.ClickException(str(error)) from error
    except Exception as error:
        from clients import bigquery  # noqa: PLC0415 - see above

        if not isinstance(error, bigquery.FAILURES):
            raise
        raise click.ClickException(bigquery.explain(error)) from error


@contextmanager
def file_errors(path: str | Path) -> Iterator[None]:
    """Raise ClickException if the file cannot be read, or is not the text that it should be."""
    try:
        yield
    except (OSError, ValueError) as error:
        cause = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        if isinstance(error, UnicodeDecodeError):
            cause = "it is not UTF-8; save it as UTF-8"
        raise click.ClickException(f"{path} cannot be read: {cause}") from error


@contextmanager
def http_errors(url: str, timeout: float) -> Iterator[None]:
    """Raise ClickException if `url` does not answer within `timeout` seconds, or is not a usable URL."""
    import requests  # noqa: PLC0415 - see above

    try:
        yield
    except requests.Timeout as error:
        raise click.ClickException(f"{url} gave no answer within {timeout:.0f} s") from error
    except requests.ConnectionError as error:
        raise click.ClickException(f"{url} cannot be reached; is it running?") from error
    except (requests.RequestException, ValueError) as error:
        raise click.ClickException(f"{url} cannot be used: {error}") from error
