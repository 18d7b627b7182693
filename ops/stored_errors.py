"""One line for what a dataset does not have: a table, or the repository that was asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from google.api_core.exceptions import NotFound

from clients.bigquery import first_line
from ops.report.fetch import UnknownRepository


@contextmanager
def stored_errors(project: str, dataset: str) -> Iterator[None]:
    """Raise ClickException for a missing table or view, and for a repository of which nothing is stored."""
    try:
        yield
    except UnknownRepository as error:
        shown = ", ".join(error.known[:5]) + (", ..." if len(error.known) > 5 else "")
        raise click.ClickException(f"{error}; stored are: {shown or 'no repositories yet'}") from error
    except NotFound as error:
        raise click.ClickException(
            f"a table or view of {project}.{dataset} is missing; run ./issuewire schema apply "
            f"--project {project} --dataset {dataset} ({first_line(error)})"
        ) from error
