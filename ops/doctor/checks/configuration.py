"""The routes, the team and the rules of triage, against themselves and against GitHub."""

import shlex
from collections.abc import Iterator
from typing import Any

from ops.doctor.facts import ConfigurationFile, Login, RepositoryName
from ops.doctor.finding import Check, Problem


def _invalid(found: ConfigurationFile) -> Iterator[Problem]:
    for problem in found.problems:
        yield Problem(text=f"{found.path}: {problem}", fix=_edit(found.path))


def _unknown(found: Login) -> Iterator[Problem]:
    if not found.exists:
        yield Problem(
            text=f"{found.path} names the account {found.login!r}, which GitHub does not have",
            fix=_edit(found.path),
        )


def _outdated(found: RepositoryName) -> Iterator[Problem]:
    if found.named.casefold() != found.now.casefold():
        change = shlex.quote(f's|"{found.named}"|"{found.now}"|')
        yield Problem(
            text=f"{found.path} names {found.named}, which GitHub calls {found.now} now",
            fix=f"sed -i.bak {change} {shlex.quote(found.path)}",
        )


def _edit(path: str) -> str:
    return f"${{EDITOR:-vi}} {shlex.quote(path)}"


CHECKS: tuple[Check[Any], ...] = (
    Check(slug="configuration_invalid", about=ConfigurationFile, find=_invalid),
    Check(slug="login_unknown", about=Login, find=_unknown),
    Check(slug="route_outdated", about=RepositoryName, find=_outdated),
)
