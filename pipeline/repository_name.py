"""A repository's full name, owner/name, as GitHub allows it."""

import re

_FORM = re.compile(r"(?!\.{1,2}/)[\w.-]{1,100}/(?!\.{1,2}\Z)[\w.-]{1,100}", re.ASCII)


def is_repository_name(text: str | None) -> bool:
    """Return whether `text` is an owner/name that can be put into a URL: neither part is `.` or `..`."""
    return text is not None and _FORM.fullmatch(text) is not None
