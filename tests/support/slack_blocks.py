"""Blocks for messages to the local Slack, and the problems that its rules find in them."""

from typing import Any

from local.slack.rules.arguments import check_arguments

Json = dict[str, Any]


def plain(text: Any = "Title") -> Json:
    """Return a plain text object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: Any = "words") -> Json:
    """Return a mrkdwn text object."""
    return {"type": "mrkdwn", "text": text}


def section(text: Any = "words") -> Json:
    """Return a section of one text."""
    return {"type": "section", "text": mrkdwn(text)}


def button(**fields: Any) -> Json:
    """Return a link button, with further or other fields."""
    return {"type": "button", "text": plain("Open"), "url": "https://github.com/acme/app/issues/1", **fields}


def actions(*elements: Any) -> Json:
    """Return an actions block."""
    return {"type": "actions", "elements": list(elements)}


def found(*blocks: Any, **arguments: Any) -> list[tuple[str, str]]:
    """Return (error, sentence) for every problem of a message with these blocks."""
    message = {"text": "fallback", "blocks": list(blocks), **arguments}
    return [(problem.error, str(problem)) for problem in check_arguments("chat.postMessage", message)]


def sentences(*blocks: Any) -> list[str]:
    """Return the sentences about these blocks, whose only error may be invalid_blocks."""
    problems = found(*blocks)
    assert {error for error, _ in problems} <= {"invalid_blocks"}
    return [sentence for _, sentence in problems]
