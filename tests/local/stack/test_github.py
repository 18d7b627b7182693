"""The stack has a GitHub, on which an App is installed wherever a repository appears."""

from pathlib import Path

import pytest

from local.github.github_app import private_key
from local.processes import NotReady
from local.stack import github
from local.stack.triage import has_rules


def test_the_app_is_on_every_account(tmp_path: Path) -> None:
    """A new repository's owner has the App with its permissions, once; the key is a file of its owner's."""
    server = github.github_server(0)
    for name in ("acme/app", "acme/website", "mona/own"):
        server.github.host(name)
    assert [each.account for each in server.github.app.installations] == ["acme", "mona"]
    assert server.github.app.find("mona/own").permissions["issues"] == "write"
    server.start()
    found = github.environment(server, tmp_path)
    server.stop()
    key = Path(found["GITHUB_APP_KEY_FILE"])
    assert (key.read_text(), oct(key.stat().st_mode)[-3:]) == (private_key(), "600")
    assert found["GITHUB_API_URL"] == server.url


@pytest.mark.parametrize(
    ("content", "found"),
    [(None, False), ("# [[rule]]\n", False), ('[[rule]]\nname = "parser"\nadd_labels = ["bug"]\n', True)],
    ids=["no file", "comments", "a rule"],
)
def test_a_rule_starts_triage(tmp_path: Path, content: str | None, *, found: bool) -> None:
    """Without its file, or without a rule in it, triage has nothing to do."""
    path = tmp_path / "triage.toml"
    if content is not None:
        path.write_text(content)
    assert has_rules(path) is found


def test_a_damaged_rules_file_is_named(tmp_path: Path) -> None:
    """The stack does not start with it, and names every problem with its line."""
    path = tmp_path / "triage.toml"
    path.write_text('[[rule]]\nname = "parser"\nadd_label = ["bug"]\n')
    with pytest.raises(NotReady, match=r"line 3.*unknown key 'add_label'"):
        has_rules(path)
