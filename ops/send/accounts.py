"""GitHub's accounts and repositories as webhook payloads show them.

Every name is made up, and each id is derived from its name: the same name has the same id in every run.
"""

import zlib
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

API = "https://api.github.com"
WEB = "https://github.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person, a bot or an organization; `type` is User, Bot or Organization."""

    login: str
    type: str = "User"

    @classmethod
    def named(cls, login: str) -> Self:
        """Return the account of a login, a bot if the login ends so."""
        return cls(login=login, type="Bot" if login.endswith("[bot]") else "User")

    @property
    def id(self) -> int:
        """Return the id, which a rename would keep."""
        return number_for(self.login)

    def as_json(self) -> dict[str, Any]:
        """Return the account as payloads show it."""
        return {
            "login": self.login,
            "id": self.id,
            "node_id": f"U_{self.id}",
            "avatar_url": f"https://avatars.githubusercontent.com/u/{self.id}?v=4",
            "gravatar_id": "",
            "url": f"{API}/users/{self.login}",
            "html_url": f"{WEB}/{self.login}",
            "type": self.type,
            "user_view_type": "public",
            "site_admin": False,
        }

    def as_organization(self) -> dict[str, Any]:
        """Return an organization as a payload's `organization` shows it."""
        return {
            "login": self.login,
            "id": self.id,
            "node_id": f"O_{self.id}",
            "url": f"{API}/orgs/{self.login}",
            "avatar_url": f"https://avatars.githubusercontent.com/u/{self.id}?v=4",
            "description": "",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository of an organization."""

    full_name: str
    private: bool = False

    @property
    def id(self) -> int:
        """Return the id, which a rename would keep."""
        return number_for(self.full_name)

    @property
    def owner(self) -> Account:
        """Return the organization."""
        return Account(login=self.full_name.split("/")[0], type="Organization")

    def as_json(self) -> dict[str, Any]:
        """Return the repository as payloads show it."""
        return {
            "id": self.id,
            "node_id": f"R_{self.id}",
            "name": self.full_name.split("/")[1],
            "full_name": self.full_name,
            "private": self.private,
            "owner": self.owner.as_json(),
            "html_url": f"{WEB}/{self.full_name}",
            "description": None,
            "fork": False,
            "url": f"{API}/repos/{self.full_name}",
            "issues_url": f"{API}/repos/{self.full_name}/issues{{/number}}",
            "created_at": "2024-02-01T09:00:00Z",
            "updated_at": "2026-01-10T09:00:00Z",
            "pushed_at": "2026-01-10T09:00:00Z",
            "language": "Python",
            "has_issues": True,
            "open_issues_count": 12,
            "topics": [],
            "archived": False,
            "visibility": "private" if self.private else "public",
            "default_branch": "main",
        }

    def label(self, name: str) -> dict[str, Any]:
        """Return one of the repository's labels as payloads show it."""
        return {
            "id": number_for(name),
            "node_id": f"LA_{number_for(name)}",
            "url": f"{API}/repos/{self.full_name}/labels/{quote(name)}",
            "name": name,
            "color": "d73a4a",
            "default": False,
            "description": None,
        }


def number_for(name: str) -> int:
    """Return an id that is always the same for `name`."""
    return zlib.crc32(name.encode())
