"""The subscriptions: created before the first message, corrected, and read back."""

import pytest


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "stream-bq|issuewire|_deleted-topic_||90|604800s|never|10s|600s|github-events-dead|100|||",
            "_deleted-topic_",
        ),
        (
            'stream-bq|issuewire|github-events|attributes.event="x"|90|604800s|never|10s|600s|github-events-dead|100|||',
            "filter",
        ),
    ],
)
def test_a_subscription_of_another_topic_or_with_a_filter_stops_the_run(sandbox, row, message):
    """A subscription of a deleted topic, or with a filter, would lose events without an error."""
    sandbox.answer("gcloud pubsub subscriptions list *", f"{row}\n")
    outcome = sandbox.run("setup")
    assert outcome.status == 1
    assert message in outcome.err
    assert "gcloud pubsub subscriptions delete stream-bq" in outcome.err


def test_a_subscription_with_other_settings_is_corrected_and_read_back(sandbox):
    """Settings that were changed are restored; if the change has no effect, the run stops."""
    sandbox.answer(
        "gcloud pubsub subscriptions list *", "stream-bq|issuewire|github-events||10|600s||||||||\n"
    )
    outcome = sandbox.run("setup")
    (update,) = sandbox.find("subscriptions update stream-bq")
    for flag in ("--ack-deadline=90", "--max-delivery-attempts=100", "--expiration-period=never"):
        assert flag in update.line
    assert (outcome.status, "did not take its settings" in outcome.err) == (1, True)


def test_a_push_endpoint_without_effect_stops_the_run(sandbox):
    """A push endpoint is read back, and the run stops if it was not set."""
    rows = "stream-bq|issuewire|github-events||90|604800s|never|10s|600s|github-events-dead|100|||\n"
    hold = "github-events-dead-hold|issuewire|github-events-dead||60|2678400s|never|||||||\n"
    sandbox.answer(
        "gcloud pubsub subscriptions list *", rows + rows.replace("stream-bq", "notify-slack") + hold
    )
    outcome = sandbox.run("stream_bq")
    assert (outcome.status, "stream-bq did not take its push endpoint" in outcome.err) == (1, True)
