"""Who is of the team, and who is a bot: by config/team.toml, and by what GitHub says of an account."""

from dataclasses import dataclass

MEMBERS = {"OWNER", "MEMBER", "COLLABORATOR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """All logins are in lower case.

    `logins` are the people whose comments answer, `away` are those who are neither assigned nor mentioned,
    `bots` are accounts of type User that are bots.
    """

    logins: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    bots: tuple[str, ...] = ()

    def is_team(self, login: str | None, association: str | None) -> bool:
        """Return whether an account is of the team: by the list, or without one by its author_association."""
        if self.logins:
            return (login or "").lower() in self.logins
        return association in MEMBERS

    def is_bot(self, login: str | None, kind: str | None) -> bool:
        """Return whether an account is a bot; `kind` is GitHub's type of it."""
        name = (login or "").lower()
        return kind == "Bot" or name.endswith("[bot]") or name in self.bots
