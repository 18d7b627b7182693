"""The manifest of our GitHub App, and the exchange of the code that GitHub gives for it.

https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
Standard library, Python 3.8 or newer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PERMISSIONS = {"issues": "write", "metadata": "read"}
NAME_LENGTH = 34  # the most that GitHub takes
PAUSES = (1, 3, 9)  # seconds before the code is sent again, if GitHub does not answer
TIMEOUT = 30  # seconds for each request


class Failed(Exception):
    """No App can be stored; the text says why and what to do."""


def manifest(*, name: str, homepage: str, webhook_url: str, events: str, redirect_url: str) -> dict[str, Any]:
    """Return the description of the App that GitHub's form takes. events: separated by commas."""
    return {
        "name": name[:NAME_LENGTH].strip(),
        "url": homepage,
        "hook_attributes": {"url": webhook_url, "active": True},
        "redirect_url": redirect_url,
        "public": False,
        "default_permissions": PERMISSIONS,
        "default_events": events.split(","),
    }


def form_url(github_url: str, organization: str) -> str:
    """Return the address of GitHub's form for a new App of an organization or of the person."""
    owner = f"/organizations/{organization}" if organization else ""
    return f"{github_url}{owner}/settings/apps/new"


def exchange(api_url: str, code: str, pause: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """Return GitHub's answer for the code. Raises Failed."""
    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "issuewire",
    }
    # deploy.sh checks that the address begins with https.
    request = Request(  # noqa: S310
        f"{api_url}/app-manifests/{code}/conversions", data=b"", headers=headers, method="POST"
    )
    for seconds in (*PAUSES, None):
        try:
            with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                return _checked(json.loads(answer.read()))
        except HTTPError as error:
            problem = f"GitHub answers {error.code} to the code, which is valid once and for an hour"
            if error.code < 500 and error.code != 429:
                break
        except (OSError, HTTPException, ValueError) as error:
            problem = f"GitHub's answer to the code cannot be read ({type(error).__name__})"
        if seconds is not None:
            pause(seconds)
    raise Failed(f"{problem}, so the key of the new App is lost: delete the App at GitHub and run again")


def _checked(answer: Any) -> dict[str, Any]:
    fields = {"id": int, "slug": str, "name": str, "html_url": str, "pem": str}
    if not isinstance(answer, dict) or not all(
        isinstance(answer.get(name), kind) for name, kind in fields.items()
    ):
        raise ValueError("a field is missing")
    # Without a webhook, GitHub gives no secret.
    return {**{name: answer[name] for name in fields}, "webhook_secret": answer.get("webhook_secret") or ""}
