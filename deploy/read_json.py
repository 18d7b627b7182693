"""JSON that deploy.sh reads or writes: answers of GitHub and Google, bodies of hooks and alerts.

Standard library, Python 3.8 or newer. Each command reads stdin and prints a value, or an empty line.
The exit status is 1, with one line on stderr, if the answer does not have the documented form.
"""

import json
import sys
import time
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlencode


def hook_id(*urls: str) -> object:
    """Print the id of the hook with the first of these URLs that one has; a slash at the end is ignored."""
    ids = {hook.get("config", {}).get("url", "").rstrip("/"): hook["id"] for hook in json.load(sys.stdin)}
    return next((ids[url.rstrip("/")] for url in urls if url.rstrip("/") in ids), "")


def hook_body(url: str, events: str) -> object:
    """Print the body that creates or changes a hook; its secret is read from stdin."""
    config = {"url": url, "content_type": "json", "insecure_ssl": "0", "secret": sys.stdin.read()}
    return json.dumps({"name": "web", "active": True, "events": events.split(","), "config": config})


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
    """Print the id of the newest delivery, or 0 if there is none."""
    return max((delivery["id"] for delivery in json.load(sys.stdin)), default=0)


def ping_status(after: str) -> object:
    """Print the HTTP status with which the newest ping after that delivery was answered."""
    pings = [one for one in json.load(sys.stdin) if one["event"] == "ping" and one["id"] > int(after)]
    return max(pings, key=lambda one: one["id"])["status_code"] if pings else ""


def alert(file: str, title: str, label: str, channels: str, *values: str) -> object:
    """Print the body of an alert policy: the file with its placeholders filled in, our label, the channels.

    label: NAME=VALUE. channels: separated by commas; without one, the existing policy, read from stdin,
    keeps its channels. values: PLACEHOLDER=VALUE each.
    """
    # The placeholders are inside JSON strings.
    filled = {name: json.dumps(value)[1:-1] for name, _, value in (one.partition("=") for one in values)}
    policy = json.loads(Template(Path(file).read_text(encoding="utf-8")).substitute(filled))
    kept = _policy(title).get("notificationChannels", [])
    policy["displayName"] = title
    policy["userLabels"] = dict([label.split("=")])
    policy["notificationChannels"] = [channel for channel in channels.split(",") if channel] or kept
    return json.dumps(policy)


def policies() -> object:
    """Print the display name and the label of each alert policy, one a line."""
    found = json.load(sys.stdin).get("alertPolicies", [])
    return "\n".join(f"{one.get('displayName')}|{one.get('userLabels', {}).get('app', '')}" for one in found)


def policy_name(title: str) -> object:
    """Print the full name of the alert policy with that display name."""
    return _policy(title).get("name", "")


def _policy(title: str) -> "dict[str, Any]":
    found = json.load(sys.stdin).get("alertPolicies", [])
    named = [policy for policy in found if policy.get("displayName") == title]
    return next((policy for policy in named if "app" in policy.get("userLabels", {})), (named or [{}])[0])


def points_query(metric: str, *subscriptions: str) -> object:
    """Print the query for a metric of subscriptions in the last ten minutes."""
    now = time.time()
    start, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)) for seconds in (now - 600, now))
    names = ", ".join(f'"{name}"' for name in subscriptions)
    chosen = f'metric.type="pubsub.googleapis.com/subscription/{metric}"'
    chosen += f" AND resource.labels.subscription_id = one_of({names})"
    return urlencode({"filter": chosen, "interval.startTime": start, "interval.endTime": end})


def newest_points() -> object:
    """Print subscription and newest value of each time series, one a line."""
    found = [one for one in json.load(sys.stdin).get("timeSeries", []) if one.get("points")]
    values = [(one["resource"]["labels"]["subscription_id"], one["points"][0]["value"]) for one in found]
    return "\n".join(f"{name}|{value['int64Value']}" for name, value in values)


def hook_state(events: str, *urls: str) -> object:
    """Print what is wrong with the hooks that have one of these URLs, `|`, and what is right."""
    ours = [url.rstrip("/") for url in urls]
    hooks = [one for one in json.load(sys.stdin) if one.get("config", {}).get("url", "").rstrip("/") in ours]
    if len(hooks) != 1:
        return ("is missing" if not hooks else f"{len(hooks)} of them point here, delete all but one") + "|"
    last = hooks[0].get("last_response", {}).get("code")
    missing = (
        sorted(set(events.split(",")) - set(hooks[0]["events"])) if "*" not in hooks[0]["events"] else []
    )
    detail = f"active, {', '.join(hooks[0]['events'])}, last answer {last or 'unknown'}"
    if not hooks[0]["active"]:
        return f"is not active|{detail}"
    if missing:
        return f"does not deliver {', '.join(missing)}|{detail}"
    if last is not None and not 200 <= last < 300:
        return f"its last delivery was answered with {last}, see docs/operations.md|{detail}"
    return f"|{detail}"


def slack_error() -> object:
    """Print the error of Slack's answer, or an empty line."""
    answer = json.load(sys.stdin)
    return "" if answer["ok"] else answer["error"]


def app_field(name: str) -> object:
    """Print a field of a new GitHub App."""
    return json.load(sys.stdin)[name]


def labels() -> object:
    """Print name and label of each dataset, or of each table and view, one a line.

    bq prints nothing if there is none.
    """
    listed = json.loads(sys.stdin.read().strip() or "[]")
    lines = []
    for one in listed:
        name = one.get("tableReference", {}).get("tableId") or one["datasetReference"]["datasetId"]
        lines.append(f"{name}|{one.get('labels', {}).get('app', '')}")
    return "\n".join(lines)


COMMANDS = (
    *(alert, app_field, hook_body, hook_id, hook_state, labels, message, newest_delivery, newest_points),
    *(ping_status, points_query, policies, policy_name, slack_error),
)

if __name__ == "__main__":
    try:
        commands = {command.__name__.replace("_", "-"): command for command in COMMANDS}
        print(commands[sys.argv[1]](*sys.argv[2:]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"({sys.argv[1]}: {type(error).__name__})"
        sys.exit(f"deploy.sh: the answer does not have the documented form {reason}")
