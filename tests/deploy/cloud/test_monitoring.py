"""Cloud Monitoring of the stand-in: alert policies and time series."""

from tests.deploy.cloud.client import ALERTS, PROJECT, send
from tests.deploy.cloud.monitoring import series


def test_alerts_are_paged_changed_and_checked(ready, alert):
    """Policies are listed in pages, may share a name, and need a filter with resource and metric."""
    names = [send(ready, "POST", ALERTS, alert())[1]["name"] for _ in range(3)]
    _, first = send(ready, "GET", f"{ALERTS}?pageSize=2")
    _, second = send(ready, "GET", f"{ALERTS}?pageSize=2&pageToken={first['nextPageToken']}")
    assert [a["name"] for a in first["alertPolicies"] + second["alertPolicies"]] == names
    assert "nextPageToken" not in second
    changed = alert(duration="120s") | {"displayName": "Other"}
    assert send(ready, "PATCH", f"https://monitoring.googleapis.com/v3/{names[0]}", changed)[0] == 200
    assert ready.state.alerts[names[0]]["displayName"] == "Other"
    assert send(ready, "DELETE", f"https://monitoring.googleapis.com/v3/{names[0]}")[0] == 200
    assert send(ready, "GET", f"https://monitoring.googleapis.com/v3/{names[0]}")[0] == 404
    wrong = ({"filter": ""}, {"filter": 'metric.type = "x"'}, {"duration": "90s"}, {"comparison": "MORE"})
    assert [send(ready, "POST", ALERTS, alert(**change))[0] for change in wrong] == [400] * 4
    assert list(ready.state.alerts) == names[1:]


def test_time_series_are_those_that_a_test_has_set(ready):
    """The number of dead letters is what the test has set, for the filter that names the subscription."""
    metric = "pubsub.googleapis.com/subscription/num_undelivered_messages"
    hold = {"subscription_id": "github-events-dead-hold"}
    ready.state.time_series = [series(metric, "pubsub_subscription", hold, 7)]
    url = f"https://monitoring.googleapis.com/v3/projects/{PROJECT}/timeSeries"
    times = "interval.startTime=2026-01-01T00:00:00Z&interval.endTime=2026-01-01T00:05:00Z"
    named = f"filter=metric.type%3D%22{metric}%22%20AND%20resource.labels.subscription_id%3D%22"
    _, found = send(ready, "GET", f"{url}?{times}&{named}github-events-dead-hold%22")
    assert found["timeSeries"][0]["points"][0]["value"] == {"int64Value": "7"}
    assert "timeSeries" not in send(ready, "GET", f"{url}?{times}&{named}stream-bq%22")[1]
    assert send(ready, "GET", f"{url}?{named}stream-bq%22")[0] == 400
