"""The hidden line at the end of our comments, by which a comment of a rule is found again (pure)."""

import re
from urllib.parse import quote, unquote

_MARKER = re.compile(r"<!-- issuewire rule=(\S+) delivery=\S+ -->")


def with_marker(text: str, rule: str, delivery_id: str) -> str:
    """Return the comment that is posted: the rule's text, and the marker."""
    return f"{text.rstrip()}\n\n<!-- issuewire rule={_quoted(rule)} delivery={_quoted(delivery_id)} -->"


def rules_in(body: str) -> frozenset[str]:
    """Return the names of the rules in the markers of a comment of ours."""
    return frozenset(unquote(found) for found in _MARKER.findall(body))


def _quoted(text: str) -> str:
    """Return the text without space, and without what may end a comment of HTML."""
    return quote(text, safe="").replace("-", "%2D")
