"""GitHub's API as the fake curl of a sandbox answers it."""

import json

from tests.deploy.sandbox import Sandbox

__all__ = ["HOOK", "answer_as_github", "http_answer"]

HOOK = {"id": 7, "config": {"url": "https://ingest-abc-uc.a.run.app/"}}


def http_answer(body: object, status: int = 200) -> str:
    """Return what curl prints for an answer."""
    return f"{json.dumps(body)}\n{status}"


def answer_as_github(sandbox: Sandbox, *statuses: int, hooks: list[object] | None = None) -> None:
    """Give GitHub these hooks, and let ingest answer the pings with `statuses`, of which the last repeats."""
    sandbox.answer("curl *GET*/hooks[?]*", http_answer(hooks or []))
    sandbox.answer("curl *POST*/hooks", http_answer(HOOK, 201))
    sandbox.answer("curl *PATCH*/hooks/7", http_answer(HOOK))
    sandbox.answer("curl *POST*/pings", "\n204")
    last = len(statuses)
    cases = "".join(
        f"{number if number < last else '*'}) status={status} ;;\n"
        for number, status in enumerate(statuses, 1)
    )
    # Each ping adds a delivery, with its number as id.
    sandbox.answer_with_script(
        "curl *GET*/deliveries*",
        r"""pings=$(tr '\036' '\n' <"$SANDBOX/log" | grep -c 'POST.*/pings' || true)
"""
        f"case $pings in\n0) printf '[]\\n200' && exit ;;\n{cases}esac\n"
        r"""printf '[{"id": %s, "event": "ping", "status_code": %s}]\n200' "$pings" "$status"
""",
    )
