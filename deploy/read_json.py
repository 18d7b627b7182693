"""JSON that deploy.sh reads or writes: answers of GitHub and Google, bodies of hooks and alerts.

Standard library, Python 3.8 or newer. Each command reads stdin and prints a value, or nothing without one.
The exit status is 1, with one line on stderr, if the answer does not have the documented form.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

_RFC_3339 = "%Y-%m-%dT%H:%M:%SZ"
_TEN_MINUTES = 600


def hook_id(url: str) -> object:
    """Print the id of the hook with this URL; a slash at its end makes no difference."""
    urls = {hook["id"]: hook.get("config", {}).get("url", "") for hook in read() or []}
    return next((key for key, value in urls.items() if value.rstrip("/") == url.rstrip("/")), "")


def hook_body(url: str, events: str) -> object:
    """Print the body that creates or changes a hook; its secret is read from stdin."""
    config = {"url": url, "content_type": "json", "insecure_ssl": "0", "secret": sys.stdin.read()}
    return json.dumps({"name": "web", "active": True, "events": events.split(","), "config": config})


def identity() -> object:
    """Print the id."""
    return read()["id"]


def message() -> object:
    """Print what the service says is wrong: GitHub at the top, Google under `error`.

    Of any other answer, such as a proxy's page, the first hundred characters are printed.
    """
    text = sys.stdin.read()
    try:
        answer = json.loads(text)
        answer = answer.get("error", answer)
        parts = [answer.get("message"), *(one.get("message") for one in answer.get("errors", []))]
        return " ".join(part for part in parts if part)
    except (ValueError, AttributeError, TypeError):
        return " ".join(text.split())[:100]


def newest_delivery() -> object:
    """Print the id of the newest delivery, or 0 without one."""
    return max((delivery["id"] for delivery in read() or []), default=0)


def ping_status(after: str) -> object:
    """Print the HTTP status with which the newest ping after that delivery was answered."""
    pings = [one for one in read() or [] if one["event"] == "ping" and one["id"] > int(after)]
    return max(pings, key=lambda one: one["id"])["status_code"] if pings else ""


def alert(file: str, docs: str, channels: str, services: str, subscriptions: str) -> object:
    """Print the body of an alert policy: the file with its placeholders filled in, and the channels.

    channels: separated by commas; services, subscriptions: separated by spaces.
    """
    policy = json.loads(Path(file).read_text(encoding="utf-8"))
    text = policy["documentation"]
    text["content"] = text["content"].replace("${DOCS_URL}", docs)
    for condition in policy["conditions"]:
        for part in condition.values():
            if "filter" in part:
                part["filter"] = _filled(part["filter"], services.split(), subscriptions.split())
    policy["notificationChannels"] = [channel for channel in channels.split(",") if channel]
    return json.dumps(policy)


def _filled(expression: str, services: "list[str]", subscriptions: "list[str]") -> str:
    quoted = " OR ".join(f'"{name}"' for name in services)
    return expression.replace("${SERVICES}", quoted).replace(
        "${SUBSCRIPTIONS}", ", ".join(f'"{name}"' for name in subscriptions)
    )


def policy_name(file: str) -> object:
    """Print the full name of the alert policy with the display name that the file has."""
    return _policy(file).get("name", "")


def policy_channels(file: str) -> object:
    """Print, as a comma list, the channels of the alert policy with the display name that the file has."""
    return ",".join(_policy(file).get("notificationChannels", []))


def _policy(file: str) -> "dict[str, Any]":
    title = json.loads(Path(file).read_text(encoding="utf-8"))["displayName"]
    policies = (read() or {}).get("alertPolicies", [])
    return next((policy for policy in policies if policy.get("displayName") == title), {})


def depth_query(subscription: str) -> object:
    """Print the query for the number of messages that a subscription kept in the last ten minutes."""
    now = time.time()
    metric = "pubsub.googleapis.com/subscription/num_undelivered_messages"
    return urlencode(
        {
            "filter": f'metric.type="{metric}" AND resource.labels.subscription_id="{subscription}"',
            "interval.startTime": time.strftime(_RFC_3339, time.gmtime(now - _TEN_MINUTES)),
            "interval.endTime": time.strftime(_RFC_3339, time.gmtime(now)),
        }
    )


def newest_point() -> object:
    """Print the newest value of the first time series."""
    series = (read() or {}).get("timeSeries", [])
    return series[0]["points"][0]["value"]["int64Value"] if series and series[0].get("points") else ""


def tables() -> object:
    """Print the names of a dataset's tables and views, one a line."""
    return "\n".join(table["tableReference"]["tableId"] for table in read() or [])


def read() -> Any:
    """Return the JSON on stdin; None if stdin is empty."""
    text = sys.stdin.read()
    return json.loads(text) if text.strip() else None


COMMANDS: "dict[str, Callable[..., object]]" = {
    "alert": alert,
    "depth-query": depth_query,
    "hook-body": hook_body,
    "hook-id": hook_id,
    "id": identity,
    "message": message,
    "newest-delivery": newest_delivery,
    "newest-point": newest_point,
    "ping-status": ping_status,
    "policy-channels": policy_channels,
    "policy-name": policy_name,
    "tables": tables,
}

if __name__ == "__main__":
    try:
        print(COMMANDS[sys.argv[1]](*sys.argv[2:]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"({sys.argv[1]}: {type(error).__name__})"
        sys.exit(f"deploy.sh: the answer does not have the documented form {reason}")
