"""A repository's name is recognised before it becomes part of a URL."""

import pytest

from pipeline.repository_name import is_repository_name


@pytest.mark.parametrize("text", ["acme/app", "a/b", "acme/.github", "Acme-Inc/my_app.js", "a" * 100 + "/b"])
def test_a_name_of_github_s_form_is_accepted(text: str) -> None:
    """Letters, digits, dots, dashes and underscores make up an owner and a name."""
    assert is_repository_name(text)


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "acme", "acme/", "/app", "acme/app/x", "./app", "../app", "acme/.", "acme/.."),
        *("acme/a b", "acme/app?x", "acme/app\n", "ac\u00e9/app", "acme/" + "a" * 101),
    ],
)
def test_text_that_would_change_the_url_is_refused(text: str | None) -> None:
    """A path step, a query, a space or a letter outside ASCII is refused."""
    assert not is_repository_name(text)
