"""The command alerts creates and updates the policies of Cloud Monitoring."""

import json

from tests.deploy.fake_github import http_answer


def test_alerts_are_created_once_and_then_updated(sandbox):
    """A policy whose name is new is posted, the others are patched; link and channels are filled in."""
    titles = {
        file.stem: json.loads(file.read_text())["displayName"]
        for file in (sandbox.checkout / "deploy/alerts").glob("*.json")
    }
    assert len(titles) == 6
    ours = {
        "name": "projects/p/alertPolicies/1",
        "displayName": titles["dead-letters"],
        "userLabels": {"app": "issuewire"},
    }
    there = {"alertPolicies": [{**ours, "name": "projects/p/alertPolicies/9", "userLabels": {}}, ours]}
    sandbox.answer("curl *GET*/alertPolicies*", http_answer(there))
    sandbox.answer("curl *--request P*", http_answer({}))
    channel = "projects/acme-issues/notificationChannels/5"
    outcome = sandbox.run("alerts", DOCS_URL="https://example.com/a|b&c.md", ALERT_CHANNELS=channel)
    assert outcome.status == 0, outcome.err
    (patched,), posted = sandbox.find("PATCH"), sandbox.find("POST")
    assert patched.line.endswith("https://monitoring.googleapis.com/v3/projects/p/alertPolicies/1")
    assert len(posted) == 5
    for call in (patched, *posted):
        body = json.loads(call.stdin)
        assert (body["notificationChannels"], body["userLabels"]) == ([channel], {"app": "issuewire"})
        assert "${" not in call.stdin
        assert "https://example.com/a|b&c.md#" in body["documentation"]["content"]
        assert call.header == "Authorization: Bearer google-token"
    assert "google-token" not in "".join(sandbox.lines) + outcome.err
    sandbox.clear()
    ours["notificationChannels"] = [channel]
    sandbox.answer("curl *GET*/alertPolicies*", http_answer(there))
    outcome = sandbox.run("alerts")
    assert json.loads(sandbox.find("PATCH")[0].stdin)["notificationChannels"] == [channel]
    assert "No one is notified yet" in outcome.err
    assert "contain no link yet" in outcome.err
    sandbox.answer("curl *", http_answer({"error": {"message": "no such metric"}}, 400))
    outcome = sandbox.run("alerts")
    assert (outcome.status, "answers 400" in outcome.err, "no such metric" in outcome.err) == (1, True, True)
