"""notify_slack: unwrap, decide, post. Returning acknowledges the message; raising has it delivered again."""

import os
from pathlib import Path

import functions_framework
from cloudevents.http import CloudEvent

from pipeline import logs
from pipeline.delivery import Delivery, claimed
from pipeline.errors import PipelineError
from pipeline.events import IssueEvent
from pipeline.logs import log
from pipeline.once import once
from pipeline.settings import SlackSettings, at_start, both, read_routes

from . import card, routes_file
from .recent import Recent
from .routes import Routes
from .slack import Slack


def read_configuration() -> tuple[SlackSettings, Routes]:
    """Return settings and routes. Raises ConfigurationError naming the problems of both."""
    return both(
        lambda: SlackSettings.from_environment(os.environ),
        lambda: routes_file.parse(read_routes(os.environ, folder=Path(__file__).parent)),
    )


logs.setup()
configuration = at_start(read_configuration)
slack = once(lambda: Slack(configuration()[0].read_token, configuration()[0].api_url))
recent = Recent()


@functions_framework.cloud_event
def notify_slack(push: CloudEvent) -> None:
    """Post the cards that one message from the topic calls for."""
    logs.begin(**claimed(push.data))
    delivery = Delivery.from_push(push.data)
    logs.bind(
        delivery_id=delivery.delivery_id,
        event=delivery.event,
        action=delivery.action,
        repository=delivery.repository,
        traceparent=delivery.traceparent,
    )
    event = IssueEvent.from_delivery(delivery)
    settings, routing = configuration()
    issue, channels = card.shown(event), routing.channels(event)
    if issue is None or not channels:
        log.info("Nothing to post", extra={"why": card.silence(event) or routing.silence(event)})
        return
    logs.bind(issue=issue.number)
    post(event.delivery_id, channels, card.build(event, issue, settings.github_url))


def post(delivery_id: str, channels: tuple[str, ...], made: card.Card) -> None:
    """Post to every channel, also when one refuses, and then raise the first refusal."""
    failures: list[PipelineError] = []
    for channel in ("webhook",) if slack().posts_to_webhook() else channels:
        try:
            with recent.first((delivery_id, channel)) as todo:
                if todo:
                    timestamp = slack().post(channel, made)
                    log.info("Posted", extra={"channel": channel, "ts": timestamp})
                else:
                    log.info("Posted before", extra={"channel": channel})
        except PipelineError as failure:
            log.warning("Not posted: %s", failure, extra={"channel": channel, "reason": failure.reason})
            failures.append(failure)
    if failures:
        raise failures[0]
