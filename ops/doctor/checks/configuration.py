"""The routes and the team file, against themselves and against GitHub."""

from collections.abc import Iterator
from typing import Any

from ops.doctor.facts import ConfigurationFile, Login, RepositoryName
from ops.doctor.finding import Check, Problem


def _invalid(found: ConfigurationFile) -> Iterator[Problem]:
    for problem in found.problems:
        yield Problem(text=f"{found.path}: {problem}", fix=f"${{EDITOR:-vi}} {found.path}")


def _unknown(found: Login) -> Iterator[Problem]:
    if not found.exists:
        yield Problem(
            text=f"{found.path} names the account {found.login!r}, which GitHub does not have",
            fix=f"${{EDITOR:-vi}} {found.path}",
        )


def _outdated(found: RepositoryName) -> Iterator[Problem]:
    if found.named.casefold() != found.now.casefold():
        yield Problem(
            text=f"{found.path} names {found.named}, which GitHub calls {found.now} now",
            fix=f'sed -i.bak \'s|"{found.named}"|"{found.now}"|\' {found.path}',
        )


CHECKS: tuple[Check[Any], ...] = (
    Check(slug="configuration_invalid", about=ConfigurationFile, find=_invalid),
    Check(slug="login_unknown", about=Login, find=_unknown),
    Check(slug="route_outdated", about=RepositoryName, find=_outdated),
)
