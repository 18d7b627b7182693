"""Reads a configuration file for a command; one with problems ends the command with all of them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from ops.cli import file_errors
from pipeline.errors import ConfigurationError


def read_checked[T](path: Path, kind: str, parse: Callable[[str], T], *, as_json: bool) -> T:
    """Return what `parse` makes of the file's text, decoded as the functions decode it.

    A file with problems ends the command with status 1. `kind`, such as "routes file", begins each problem
    that is of this file; the path is shown in its place.
    """
    with file_errors(path):
        text = path.read_text("utf-8-sig")
    try:
        return parse(text)
    except ConfigurationError as error:
        of_this = f"{kind}: "
        problems = [
            f"{path}: {problem.removeprefix(of_this)}" if problem.startswith(of_this) else problem
            for problem in error.problems
        ]
        click.echo(json.dumps({"problems": problems}) if as_json else "\n".join(problems), err=not as_json)
        sys.exit(1)
