"""The commands that a document shows, in its blocks and within its sentences."""

import re
import shlex

PROGRAMS = ("./issuewire", "./deploy.sh", "gcloud", "bq")
_ASSIGNED = re.compile(r"\w+=\$\((.*)\)")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(rf"`((?:{'|'.join(map(re.escape, PROGRAMS))}) [^`]+)`")


def block_lines(text: str) -> list[str]:
    """Return the lines of the text's blocks of commands; what a backslash continues is one line."""
    blocks = [block for language, block in _BLOCK.findall(text) if language in {"", "sh"}]
    return [line for block in blocks for line in re.sub(r"\\\n *", "", block).splitlines()]


def commands(text: str) -> list[list[str]]:
    """Return the words of every call of PROGRAMS, without its redirections; a pipe has several calls."""
    without_blocks = _BLOCK.sub("", text)
    lines = [_ASSIGNED.sub(r"\1", line) for line in block_lines(text)] + _INLINE.findall(without_blocks)
    calls = [call for line in lines if any(name in line for name in PROGRAMS) for call in _calls(line)]
    return [call for call in calls if call and call[0] in PROGRAMS]


def _calls(line: str) -> list[list[str]]:
    """Return the words of each command of a pipe, without redirections and comments."""
    calls: list[list[str]] = [[]]
    words = shlex.shlex(line.partition(" # ")[0], posix=True, punctuation_chars="|<>")
    words.whitespace_split, words.commenters = True, ""
    redirected = False
    for word in words:
        if word == "|":
            calls.append([])
        elif set(word) <= set("<>"):
            redirected = True
        elif redirected:
            redirected = False
        else:
            calls[-1].append(word)
    return calls
