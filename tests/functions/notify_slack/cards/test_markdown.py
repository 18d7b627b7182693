"""A Markdown text becomes the lines that its reader sees."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.notify_slack.cards import markdown
from tests.support import hostile_text as hostile

TEMPLATE = """<!-- Thanks for filing!
Please fill in every section. -->
### What happened?
Since **2.0** the _importer_ stops at `row_1`<br>see [the log](https://x.example/log)

- [x] I searched
- [ ] It happens on `main`
"""


def test_an_issue_template_shows_its_answers() -> None:
    """The hints of an issue template, which are HTML comments, are omitted; tasks are shown with boxes."""
    assert markdown.lines(TEMPLATE) == [
        "What happened?",
        "Since 2.0 the importer stops at row_1",
        "see the log",
        "☑ I searched",
        "☐ It happens on main",
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one\ntwo  \nthree\\\nfour", ["one", "two", "three", "four"]),
        ("# A *b* #\nTitle\n=====", ["A b", "Title"]),
        ("~~gone~~ __bold__ *it* `a*b*c` \\*", ["gone bold it a*b*c *"]),
        ("max_results * 2", ["max_results * 2"]),
        ("- a\n- b\n  - c\n    - d\n      - e", ["• a", "• b", "◦ c", "▪ d", "▪ e"]),
        ("- a\n  - b\n- c", ["• a", "◦ b", "• c"]),
        ("3. c\n4. d\n\n   more", ["3. c", "4. d", "more"]),
        ("-\n- \n\ntext", ["text"]),
        ("- [X] done\n\n[ ] no task\n- [ ]none", ["☑ done", "[ ] no task", "• [ ]none"]),
        ("> *said*\n> > deeper\n\nanswered", ["> said", "> deeper", "answered"]),
        ("```py\nif x:\n\n    *y*\n```\n\n    <b>", ["if x:", "    *y*", "<b>"]),
        ("|a|*b*|\n|-|-|\n|1|x<br>y|", ["a | b", "1 | x y"]),
        ("|a|\n|-|\n|b|\n\nafter", ["a", "b", "after"]),
        ("> |a|b|\n> |-|-|", ["> a | b"]),
        ("a<BR>b", ["a", "b"]),
        ("[text](https://x.example) [](https://x.example)", ["text "]),
        ("<https://x.example> https://y.example", ["https://x.example https://y.example"]),
        ("[ref][1]\n\n[1]: https://x.example", ["ref"]),
        ("![alt](https://x.example/a.png) after", [" after"]),
        ('a <img src="x" alt="y"> <b>b</b> <!-- c --> d', ["a  b  d"]),
        ("<details><summary>Logs</summary>\n\ninside\n\n</details>", ["Logs", "inside"]),
        ("<details><summary>Logs</summary>\nline one\n</details>", ["Logs", "line one"]),
        ("<!-- hint --> The *page* is blank.", ["The *page* is blank."]),
        ("<!--\nhint\n--> after\n\n<!-- x -->", ["after"]),
        ('<img width="6" alt="Image" src="https://x.example/0" />\nSame here.', ["Same here."]),
        ("<p>Pasted from a <b>mail</b> &amp; more</p>", ["Pasted from a mail & more"]),
        ("<ul>\n<li>one</li>\n<li>two</li>\n</ul>", ["• one", "• two"]),
        ("<blockquote>said</blockquote>\nanswered", ["> said", "answered"]),
        ("<table><tr><th>a</th><th>b</th></tr>\n<tr><td>1</td><td>2</td></tr></table>", ["a | b", "1 | 2"]),
        ("<div align='center'>\n\n# Title\n\n</div>\n<hr>", ["Title"]),
        ("<style>p {}</style><p>seen</p>", ["<style>p {}</style>", "seen"]),
        ("<script>\nnever *ended*\n\nmore", ["<script> never *ended* more"]),
        ("I typed <SCRIPT>alert(1)</script> there", ["I typed <SCRIPT>alert(1)</script> there"]),
        ("<div><textarea rows='1'>a</textarea>", ["<textarea rows='1'>a</textarea>"]),
        ("<b>a</b> <titles>b</titles> <template>c", ["a b c"]),
        ("<![CDATA[x]]><?php y ?><!DOCTYPE html><p>seen", ["seen"]),
        ("> <p>said</p>", ["> said"]),
        ("> [!WARNING]\n> Do not.\n> Never.\n\nfine", ["Warning: Do not.", "Never.", "fine"]),
        ("> [!tip]\n>\n> - a\n> - b", ["Tip: • a", "• b"]),
        ("> [!NOTE]\n> > said\n>\n> end", ["> said", "Note: end"]),
        ("- a\n\n  > [!NOTE]\n  > b\n- c", ["• a", "Note: b", "• c"]),
        ("> [!NOTE] said\n\n> [!OTHER]\n> said", ["> [!NOTE] said", "> [!OTHER]", "> said"]),
        ("> > [!NOTE]\n> > said", ["> [!NOTE]", "> said"]),
        ("```\n> npm ci\n```", ["> npm ci"]),
        ("### A\n\n_No response_\n\n### B\n\nyes\n\n### C\n\n*No response*", ["B", "yes"]),
        ("No response\n\n_No response_", ["No response", "No response"]),
        ("### A\n\n_No response_ yet", ["A", "No response yet"]),
        ("### A\n\n```shell\n\n```\n\n### B\n\n```\n_No response_\n```\n\n### C\n\n```\nx\n```", ["C", "x"]),
        ("A log:\n\n```\n```", ["A log:"]),
        ("### _No response_\n\nx", ["No response", "x"]),
        ("![the error](https://x.example/a.png)", ["the error"]),
        ("<img src='a' alt=''>", ["a picture"]),
        ("![x](a)\n\n<img alt='y'>\n\n![x](b)", ["x, y"]),
        ("[![badge](a)](https://x.example)", ["badge"]),
        ("> see:\n>\n> ![quoted](a)\n\n![shown](b)", ["> see:", "shown"]),
        ("|before|after|\n|-|-|\n|![](a)|![](b)|", ["before | after"]),
        ("> see:\n>\n> ![quoted](a)", ["> see:"]),
        ("> ![quoted](a)", ["quoted"]),
        ("<!-- never ended\n\ntext", []),
        ("<!--> seen\n\n<!---> seen\n\n<!-- x --!> seen", ["seen", "seen", "seen"]),
        ("&lt;!channel&gt; &amp;lt; &copy;", ["<!channel> &lt; ©"]),
        ("---", []),
        ("@mona #7 :bug:", ["@mona #7 :bug:"]),
        ("a\ud800b", ["a?b"]),
        (None, []),
        (" \n\t", []),
    ],
)
def test_only_text_that_a_reader_sees_remains(text: str | None, lines: list[str]) -> None:
    """Formatting, HTML, pictures and URLs are omitted; code, lists, quotes and tables stay readable."""
    assert markdown.lines(text) == lines


def test_an_excerpt_has_five_lines() -> None:
    """An excerpt has at most five lines; three dots replace the others."""
    assert markdown.excerpt("\n\n".join("abcde")) == "a\nb\nc\nd\ne"
    assert markdown.excerpt("\n\n".join("abcdef")) == "a\nb\nc\nd\ne …"
    assert markdown.excerpt("a\n\n\u200b\n\n&\n\n" + "\ufeff\n\n" * 9) == "a\n&amp;"
    assert markdown.excerpt("<!-- x -->") == markdown.excerpt(None) == ""


def test_a_line_takes_the_space_that_the_lines_before_it_leave() -> None:
    """The last line is cut to the limit, its dots included, and omitted if under 20 characters remain."""
    first, second = "a" * 470, "b" * 99
    assert markdown.excerpt(f"{first}\n\n{second}\n\nc") == f"{first}\n{'b' * 26}… …"
    assert markdown.excerpt(f"{first}{'a' * 10}\n\n{second}") == f"{first}{'a' * 10} …"
    assert markdown.excerpt(f"{'a' * 600}\n\n{second * 6}") == f"{'a' * 497}… …"


@settings(derandomize=True, database=None, deadline=None, max_examples=200)
@given(hostile.text)
def test_an_excerpt_is_bounded_and_escaped(text: str) -> None:
    """An excerpt of any body has at most 500 characters, no bracket and no empty line."""
    made = markdown.excerpt(text)
    assert len(made) <= 500
    assert not set("<>") & set(made)
    assert made.count("\n") <= 4
    assert all(line.strip() for line in made.split("\n")) or not made


@settings(derandomize=True, database=None, deadline=None, max_examples=100)
@given(st.text(max_size=300))
def test_any_body_is_read(text: str) -> None:
    """Any body is read, and each resulting line is one line and not empty."""
    for line in markdown.lines(text):
        assert "\n" not in line
        assert line.strip()


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["[", "![", "[a](", "*_", "`", "> ", "- ", "<", "<a ", "|a", "~~a", "[a]: /x\n", "1. ", "\\", "*a **"],
)  # fmt: skip
def test_only_the_beginning_of_a_body_is_parsed(piece: str) -> None:
    """Only the first 4,000 characters of a body are parsed, so that megabytes take no longer."""
    start = (piece * 4_000)[:4_000]
    assert markdown.lines(start + "\n\nTHE END") == markdown.lines(start)


def test_an_answer_is_shown_without_its_quotation() -> None:
    """A comment is shown without the text that it quotes, which would read as the commenter's own words."""
    assert markdown.comment_excerpt("> is it fixed?\n\nnot **yet**\n\n- soon") == "not yet • soon"
    assert markdown.comment_excerpt("> just a quote") == "> just a quote"
    assert markdown.comment_excerpt("> what do you see?\n\n![the error](a)") == "the error"
    assert markdown.comment_excerpt("Run:\n```\n> npm ci\n```\nand tell") == "Run: > npm ci and tell"
    assert markdown.comment_excerpt("> [!CAUTION]\n> Stop.\n\nFine.") == "Caution: Stop. Fine."
    assert markdown.comment_excerpt("\\> no quotation") == "> no quotation"
    assert markdown.comment_excerpt(None) == ""


def test_the_parser_is_loaded_only_for_a_body() -> None:
    """The Markdown parser is imported only if a card has a body, because its import is slow."""
    program = (
        "import sys; from functions.notify_slack.cards import card, thread_reply, markdown;"
        "markdown.lines(None);"
        "assert 'markdown_it' not in sys.modules; markdown.lines('a'); assert 'markdown_it' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
