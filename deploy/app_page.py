"""What the browser shows while a GitHub App is created: plain pages without scripts.

Standard library, Python 3.8 or newer.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from html import escape
from typing import Any, NamedTuple

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.0625rem/1.5 system-ui, sans-serif; margin: 0; padding: 3rem 1.25rem; }
main { max-width: 38rem; margin: 0 auto; }
h1 { font-size: 1.5rem; line-height: 1.25; }
dl { border-top: 1px solid GrayText; }
dl div { border-bottom: 1px solid GrayText; padding: .6rem 0; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
form { display: inline-block; margin: 1rem .75rem 0 0; }
button { font: inherit; padding: .55rem 1.1rem; border-radius: .4rem; border: 1px solid ButtonBorder; }
button.main { background: #1a7f37; border-color: #1a7f37; color: #fff; }
button:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# form-action is left out: browsers apply it to redirects, too, such as GitHub's to an organization's sign-in.
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}


class Answer(NamedTuple):
    """A status and a page."""

    status: int
    html: str


def start(action: str, manifest: Mapping[str, Any]) -> str:
    """Return the page whose form posts the manifest to `action`."""
    permissions = ", ".join(f"{name}: {access}" for name, access in manifest["default_permissions"].items())
    rows = {
        "Name": f"{manifest['name']} (GitHub lets you change it)",
        "It may": permissions,
        "It delivers": ", ".join(manifest["default_events"]),
        "To": manifest["hook_attributes"]["url"],
    }
    listed = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in rows.items()
    )
    return _page(
        "Create a GitHub App for Issuewire",
        f"""<p>GitHub shows its form next. It sends you back here when you have pressed its button, and
deploy.sh stores the App's key and secret.</p>
<dl>{listed}</dl>
<form method="post" action="{escape(action)}">
<input type="hidden" name="manifest" value="{escape(json.dumps(manifest))}">
<button class="main">Continue to GitHub</button>
</form><form method="post" action="cancel"><button>Cancel</button></form>""",
    )


def created(name: str) -> Answer:
    """Return the page after the App was created."""
    text = "deploy.sh stores its key now. Continue in the terminal; this page can be closed."
    return Answer(200, _page(f"GitHub has created the App {name}", f"<p>{text}</p>"))


def failed(problem: str) -> Answer:
    """Return the page for a code that GitHub does not accept."""
    return Answer(502, _page("The App is not usable", f"<p>{escape(problem)}.</p>"))


def cancelled() -> Answer:
    """Return the page after Cancel."""
    return Answer(200, _page("Cancelled", "<p>Nothing was created. This page can be closed.</p>"))


def used() -> Answer:
    """Return the page for a second use."""
    return Answer(410, _page("This page has been used", "<p>Continue in the terminal.</p>"))


def refused(status: int, text: str) -> Answer:
    """Return the page for a request that is none of ours."""
    return Answer(status, _page("This does not work", f"<p>{escape(text)}</p>"))


def _page(title: str, content: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style></head>
<body><main><h1>{escape(title)}</h1>
{content}</main></body></html>
"""
