"""A problem in the routes file names the line of its key, if that is certain."""

import pytest

from tests.functions.notify_slack.routing.support import GOOD, ROUTE_KEYS, problems


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# [[route]]\n# nome = 1\n[[route]]\nchannels = ['C1']\nnome = 1", 5),
        ("[[route]]\r\nchannels = ['C1']\r\n  'nome'=1\r\n", 3),
        ("[[ route ]] # x\nchannels = [\n'C1', # nome = 1\n]\nnome = 1", 5),
        ("[[route]]\nchannels = ['C1']\n[route.nome]\nchannels = 1", 1),
    ],
)
def test_lines_are_counted_as_in_an_editor(text: str, line: int) -> None:
    """Lines are counted as in an editor, with comments, both line ends and multi-line lists."""
    assert problems(text) == (
        f"routes file: line {line}: route 1: unknown key 'nome', did you mean 'name'? {ROUTE_KEYS}",
    )


@pytest.mark.parametrize(
    "text",
    [
        'route = [{ channels = ["C1"], nome = 1 }]',
        '[["route"]]\nchannels = ["C1"]\nnome = 1',
    ],
)
def test_an_uncertain_line_is_left_out(text: str) -> None:
    """No line is named for inline tables and quoted headers, where it may be wrong."""
    assert problems(text) == (f"routes file: route 1: unknown key 'nome', did you mean 'name'? {ROUTE_KEYS}",)


@pytest.mark.parametrize(
    "text",
    [
        '"""\nnome = 1\n[[route]]\n"""',
        "'''\nnome = 1\n[[route]]\n'''",
        '"""\nnome = \'\'\'1\n[[route]] \\""" ""\n"""""',
        "'''\nnome = 1\n[[route]] # \"\"\"'''''\n",
        '\'#"""\' # """\n\n\n',
        "\"\\\" # '''\"\n\n\n",
    ],
)
def test_a_multi_line_string_has_no_keys(text: str) -> None:
    """What a multi-line string holds is no key and no table, and the lines after it are counted on."""
    found = problems(f"{GOOD}format = {text}\nnome = 2")
    assert [problem.partition(": ")[2].split(":")[0] for problem in found] == ["line 7", "line 3"]


def test_keys_after_a_quoted_header_are_not_the_routes() -> None:
    """A missing key has the route's line, even if another table has a key of that name."""
    assert problems('[[route]]\nname = "a"\n["x"]\nchannels = "x"') == (
        "routes file: unknown table 'x'",
        "routes file: line 1: route 1 ('a'): channels must be a list of channel ids such as C0123456789",
    )
