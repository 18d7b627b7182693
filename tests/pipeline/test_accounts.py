"""Who is of the team, and who is a bot."""

from pipeline.accounts import Accounts


def test_with_a_list_the_team_are_those_on_it() -> None:
    """The list decides alone, in any case of the login."""
    team = Accounts(logins=("mona",))
    assert team.is_team("Mona", "NONE")
    assert not team.is_team("octavia", "OWNER")
    assert not team.is_team(None, "OWNER")


def test_without_a_list_github_tells_the_team() -> None:
    """Owners, members and collaborators are the team if no list says otherwise."""
    known = ("OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR", "NONE", None)
    assert [Accounts().is_team("mona", each) for each in known] == [True, True, True, False, False, False]


def test_a_bot_has_the_type_or_the_login_of_one_or_is_listed() -> None:
    """An account of type User is a bot by its suffix or by the list."""
    bots = Accounts(bots=("k8s-ci-robot",))
    assert bots.is_bot("Copilot", "Bot")
    assert bots.is_bot("x[Bot]", "User")
    assert bots.is_bot("K8s-CI-Robot", "User")
    assert not bots.is_bot("mona", "User")
    assert not bots.is_bot(None, None)
