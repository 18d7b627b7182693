"""Cloud Monitoring: alert policies, notification channels, and the time series that a test has set."""

import re
from typing import Any

from tests.deploy.cloud.fields import apply_mask, page_of, seconds, unwrap_mask
from tests.deploy.cloud.messages import ApiError, Request
from tests.deploy.cloud.routes import Routes
from tests.deploy.cloud.state import State, now

__all__ = ["monitoring", "series"]

monitoring = Routes("monitoring.googleapis.com", api="monitoring.googleapis.com")

_PROJECT = "/v3/projects/{project}"
_KINDS = ("conditionThreshold", "conditionAbsent", "conditionMatchedLog", "conditionMonitoringQueryLanguage")
_OTHER_KINDS = ("conditionPrometheusQueryLanguage", "conditionSql")
_COMBINERS = ("AND", "OR", "AND_WITH_MATCHING_RESOURCE")
_MINUTE = 60


@monitoring.on("GET", f"{_PROJECT}/alertPolicies")
def list_alerts(state: State, request: Request) -> Any:
    """List the policies page by page, all or those with one display name."""
    wanted = re.search(r'display_?[nN]ame\s*=\s*"((?:[^"\\]|\\.)*)"', request.query.get("filter", ""))
    found = [a for a in state.alerts.values() if wanted is None or a["displayName"] == wanted[1]]
    page, more = page_of(found, request.query)
    return ({"alertPolicies": page} if page else {}) | {"totalSize": len(found)} | more


@monitoring.on("POST", f"{_PROJECT}/alertPolicies")
def create_alert(state: State, request: Request) -> Any:
    """Create a policy; display names need not be unique."""
    name = f"projects/{state.project}/alertPolicies/{10**18 + state.next_number()}"
    state.alerts[name] = _checked(state, request.body, name)
    return state.alerts[name]


@monitoring.on("GET", f"{_PROJECT}/alertPolicies/{{policy}}")
def describe_alert(state: State, _: Request, policy: str) -> Any:
    """Show a policy."""
    return state.alerts[_name(state, policy)]


@monitoring.on("PATCH", f"{_PROJECT}/alertPolicies/{{policy}}")
def update_alert(state: State, request: Request, policy: str) -> Any:
    """Replace a policy, or the parts that a mask names."""
    name, new = _name(state, policy), request.body
    if "updateMask" in request.query:
        new = apply_mask(state.alerts[name], new, unwrap_mask(request.query["updateMask"]))
    state.alerts[name] = _checked(state, new, name)
    return state.alerts[name]


@monitoring.on("DELETE", f"{_PROJECT}/alertPolicies/{{policy}}")
def delete_alert(state: State, _: Request, policy: str) -> Any:
    """Delete a policy."""
    del state.alerts[_name(state, policy)]
    return {}


@monitoring.on("GET", f"{_PROJECT}/notificationChannels")
def list_channels(state: State, request: Request) -> Any:
    """List the notification channels."""
    page, more = page_of(list(state.channels.values()), request.query)
    return ({"notificationChannels": page} if page else {}) | more


@monitoring.on("POST", f"{_PROJECT}/notificationChannels")
def create_channel(state: State, request: Request) -> Any:
    """Create a notification channel."""
    if not (request.body.get("type") and request.body.get("labels")):
        raise ApiError(400, "Field notification_channel.type and its labels are required.")
    name = f"projects/{state.project}/notificationChannels/{10**18 + state.next_number()}"
    state.channels[name] = {"enabled": True} | request.body | {"name": name}
    return state.channels[name]


@monitoring.on("GET", f"{_PROJECT}/timeSeries")
def time_series(state: State, request: Request) -> Any:
    """Return the series that match every `name = "value"` of the filter."""
    wanted = dict(re.findall(r'([\w.]+)\s*=\s*"([^"]*)"', request.query.get("filter", "")))
    if "metric.type" not in wanted:
        raise ApiError(400, "Field filter had an invalid value: it must name one metric.type.")
    for field in ("interval.startTime", "interval.endTime"):
        value = request.query.get(field, "")
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value):
            raise ApiError(400, f"Field {field} had an invalid value of '{value}'.")
    found = [
        one for one in state.time_series if all(_label(one, key) == value for key, value in wanted.items())
    ]
    return ({"timeSeries": found} if found else {}) | {"unit": "1"}


def series(metric: str, resource: str, labels: dict[str, str], *values: int) -> dict[str, Any]:
    """Return a series for State.time_series: metric type, resource type and labels, values newest first."""
    interval = {"startTime": now(), "endTime": now()}
    return {
        "metric": {"type": metric},
        "resource": {"type": resource, "labels": labels},
        "metricKind": "GAUGE",
        "valueType": "INT64",
        "points": [{"interval": interval, "value": {"int64Value": str(value)}} for value in values],
    }


def _label(one: dict[str, Any], key: str) -> str:
    match key.split("."):
        case ["metric" | "resource" as part, "type"]:
            return str(one[part]["type"])
        case ["metric" | "resource" as part, "label" | "labels", name]:
            return str(one[part].get("labels", {}).get(name, ""))
    raise ApiError(400, f"Field filter had an invalid value: {key} is not a label.")


def _name(state: State, policy: str) -> str:
    name = f"projects/{state.project}/alertPolicies/{policy}"
    if name not in state.alerts:
        raise ApiError(404, f"Requested entity was not found: {name}")
    return name


def _checked(state: State, body: Any, name: str) -> dict[str, Any]:
    if not isinstance(body, dict) or not body.get("displayName"):
        raise ApiError(400, "Field alert_policy.display_name had an invalid value: it is required.")
    conditions = body.get("conditions", [])
    if not 1 <= len(conditions) <= 6:
        raise ApiError(
            400, "Field alert_policy.conditions had an invalid value: 1 to 6 conditions are required."
        )
    if body.get("combiner") not in _COMBINERS:
        raise ApiError(400, f"Field alert_policy.combiner had an invalid value of {body.get('combiner')}.")
    for channel in body.get("notificationChannels", []):
        if channel not in state.channels:
            raise ApiError(404, f"Notification channel {channel} does not exist.")
    for condition in conditions:
        _check_condition(condition, body)
    named = [condition | {"name": f"{name}/conditions/{index}"} for index, condition in enumerate(conditions)]
    return {"enabled": True} | body | {"name": name, "conditions": named}


def _check_condition(condition: dict[str, Any], policy: dict[str, Any]) -> None:
    kinds = [kind for kind in (*_KINDS, *_OTHER_KINDS) if kind in condition]
    if len(kinds) != 1 or not condition.get("displayName"):
        raise ApiError(400, "Each condition needs a display_name and exactly one kind.")
    inner = condition[kinds[0]]
    if kinds[0] in _KINDS[:3] and not inner.get("filter"):
        raise ApiError(400, f"Field {kinds[0]}.filter had an invalid value: it is required.")
    if kinds[0] == "conditionMatchedLog":
        if "period" not in policy.get("alertStrategy", {}).get("notificationRateLimit", {}):
            raise ApiError(400, "A log match condition needs alert_strategy.notification_rate_limit.")
        return
    if kinds[0] in ("conditionThreshold", "conditionAbsent"):
        _check_metric(inner, kinds[0])


def _check_metric(inner: dict[str, Any], kind: str) -> None:
    for part in ("resource.type", "metric.type"):
        if not re.search(rf'\b{part}\s*=\s*(starts_with\()?"[^"]+"', inner["filter"]):
            raise ApiError(400, f"Field {kind}.filter must specify a restriction on {part}.")
    if kind == "conditionThreshold" and inner.get("comparison") not in ("COMPARISON_GT", "COMPARISON_LT"):
        raise ApiError(400, "Only COMPARISON_GT and COMPARISON_LT are supported.")
    if seconds(inner.get("duration", "0s"), "duration") % _MINUTE:
        raise ApiError(400, "The duration must be whole minutes.")
    for aggregation in inner.get("aggregations", []):
        period = seconds(aggregation.get("alignmentPeriod", "0s"), "alignment_period")
        if period < _MINUTE or period % _MINUTE:
            raise ApiError(400, "The alignment period must be whole minutes, at least one.")
