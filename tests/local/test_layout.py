"""Lines and tables fit a terminal's width without a break inside a word."""

import pytest

from local import layout

ROWS = [
    {
        "repository": "acme/app",
        "issue_number": 1,
        "title": "CSV export drops the last row",
        "close_hours": 48.0,
    },
    {
        "repository": "acme/website",
        "issue_number": 2,
        "title": "日本語 <!channel>\n| 500",
        "close_hours": None,
    },
]
WIDTHS = (25, 30, 40, 44, 60, 80, 130)


def words(lines: list[str]) -> list[str]:
    """Return the words in alphabetical order."""
    return sorted(" ".join(lines).split())


@pytest.mark.parametrize("width", WIDTHS)
def test_a_table_breaks_no_word(width: int) -> None:
    """At any width every word of a table is whole, and no line is wider than the terminal."""
    lines = layout.table(ROWS, width)
    wide = words(layout.table(ROWS, 1000))
    assert set(words(lines)) == set(wide)
    assert max(map(layout.cell_len, lines)) <= width


def test_a_table_cuts_long_names_first() -> None:
    """Columns whose name is longer than their values become narrow before a column of text does."""
    assert layout.table(ROWS[:1], 60) == [
        "repository    issue  title                             close",
        "             number                                    hours",
        "acme/app          1  CSV export drops the last row      48.0",
    ]


def test_without_room_for_its_words_a_table_is_stacked() -> None:
    """Each row is then a block of names and values, and an empty value has no line."""
    assert layout.table([*ROWS[:1], {**ROWS[0], "title": ""}], 30) == [
        "  repository    acme/app",
        "  issue number  1",
        "  title         CSV export",
        "                drops the last",
        "                row",
        "  close hours   48.0",
        "",
        "  repository    acme/app",
        "  issue number  1",
        "  close hours   48.0",
    ]


def test_a_table_without_rows_says_so() -> None:
    """A query without a result prints one line."""
    assert layout.table([], 80) == ["(no rows)"]


def test_a_text_is_broken_between_words() -> None:
    """A line that follows a break is indented; a word wider than the width stays whole; line breaks stay."""
    text = "  octavia commented  twice:\n  see http://127.0.0.1:38145/services for it\nend"
    assert layout.wrap(text, 22) == [
        "  octavia commented",
        "      twice:",
        "  see",
        "      http://127.0.0.1:38145/services",
        "      for it",
        "end",
    ]
    assert layout.wrap(text, 80) == text.split("\n")


def test_a_text_beside_columns_starts_below_them_if_it_must() -> None:
    """A text is wrapped beside its columns, or, where its longest word does not fit there, below them."""
    cells = [("202", 5), ("issues.opened", 16)]
    assert layout.columns(cells, "octavia reports a bug", 36) == [
        "  202  issues.opened   octavia",
        "                       reports a bug",
    ]
    assert layout.columns(cells, "octavia reports a bug", 29) == [
        "  202  issues.opened",
        "    octavia reports a bug",
    ]


def test_a_text_beside_its_head() -> None:
    """The head keeps its blanks, and the text goes on below it; a head that is too wide is broken itself."""
    assert layout.beside("10:00  a   b  ", "one two three", 24, hang=7) == [
        "10:00  a   b  one two",
        "       three",
    ]
    assert layout.beside("10:00  a   b  ", "one", 24, hang=7) == ["10:00  a   b  one"]
    assert layout.beside("10:00  a   b  ", "one", 12, hang=7) == ["10:00 a b", "       one"]
