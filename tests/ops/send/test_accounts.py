"""Accounts and repositories have ids that follow from their names."""

from ops.send.accounts import Account, Repository, number_for


def test_a_name_has_one_id() -> None:
    """The same name has the same id in every run, and another name another one."""
    assert number_for("octocat") == Account(login="octocat").id == 1_627_039_078
    assert number_for("octocat") != number_for("mona")


def test_a_repository_belongs_to_an_organization() -> None:
    """The owner is the organization that payloads name, with the same id."""
    owner = Repository(full_name="acme/app").owner
    assert (owner.login, owner.type) == ("acme", "Organization")
    assert owner.as_organization()["id"] == owner.as_json()["id"]


def test_a_label_s_url_is_quoted() -> None:
    """A label's name may have spaces; its URL has none."""
    label = Repository(full_name="acme/app").label("good first issue")
    assert label["url"] == "https://api.github.com/repos/acme/app/labels/good%20first%20issue"
