"""Who is a bot and who is in the team, for the reference: what the view `accounts` says, else GitHub."""

from dataclasses import dataclass
from typing import Any

ASSOCIATIONS_OF_THE_TEAM = ("OWNER", "MEMBER", "COLLABORATOR")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The logins of each role in `accounts`, in lower case; without `team`, the association decides."""

    team: frozenset[str] = frozenset()
    bots: frozenset[str] = frozenset()

    def is_bot(self, login: str | None, kind: str | None) -> bool:
        """Return whether the account is a bot; a bot is never in the team."""
        login = login or ""
        return kind == "Bot" or login.endswith("[bot]") or login.lower() in self.bots

    def side(self, event: Row, who: str) -> str:
        """Return bot, team or outsider, of the event's "issue" or "comment" author."""
        login, kind = event[f"{who}_author"], event[f"{who}_author_type"]
        if self.is_bot(login, kind):
            return "bot"
        if self.team:
            return "team" if (login or "").lower() in self.team else "outsider"
        association = event[f"{who}_author_association"]
        return "team" if association in ASSOCIATIONS_OF_THE_TEAM else "outsider"
