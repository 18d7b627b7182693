"""The people of the routes file."""

import pytest

from pipeline import people
from pipeline.errors import ConfigurationError


def test_people_are_found_by_their_login_in_lower_case() -> None:
    """GitHub ignores the case of logins; what else the file has does not matter."""
    assert people.parse('[people]\nMona = "U1"\n[defaults]\nformat = 7\n') == {"mona": "U1"}
    assert people.parse("") == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[people]\nmona = "@mona"', "routes file: people: 'mona' needs a Slack user id such as U0123456789"),
        ('[people]\n"a b" = "U1"', "routes file: people: 'a b' is not a GitHub login"),
        ('[[people]]\nmona = "U1"', "routes file: write the people as one table [people]"),
        ("[people", "routes file: Expected ']' at the end of a table declaration (at end of document)"),
    ],
)
def test_wrong_people_are_named(text: str, problem: str) -> None:
    """A wrong table is a problem of the configuration."""
    with pytest.raises(ConfigurationError) as caught:
        people.parse(text)
    assert caught.value.problems == (problem,)
