"""notify_slack: unwrap, decide, show. Returning acknowledges the message; raising has it delivered again."""

import os
from collections.abc import Callable
from pathlib import Path

import functions_framework
from cloudevents.http import CloudEvent

from clients.slack import deadline
from clients.slack.client import Slack
from pipeline import logs
from pipeline.errors import PipelineError
from pipeline.events import Issue, IssueEvent
from pipeline.logs import log
from pipeline.once import once
from pipeline.settings import collect_problems, load_at_startup
from pipeline.subscriber import receive

from .cards import card
from .routing import routes_file
from .routing.routes import Hearing, Routes
from .settings import Settings, read_routes
from .store.card_store import Living
from .store.processed_ids import Recent

# For all channels: Cloud Run ends a request after 60 s, and a call may take a little longer than its timeout.
DELIVERY_SECONDS = 45.0


def read_configuration() -> tuple[Settings, Routes]:
    """Return settings and routes. Raises ConfigurationError naming the problems of both."""
    return collect_problems(
        lambda: Settings.from_environment(os.environ),
        lambda: routes_file.parse(read_routes(os.environ, folder=Path(__file__).parent)),
    )


logs.setup()
configuration = load_at_startup(read_configuration)
slack = once(lambda: Slack(configuration()[0].token.read, configuration()[0].api_url))
living = once(lambda: Living(slack(), configuration()[0].github_url, configuration()[1].fold_over))
recent = Recent()


@functions_framework.cloud_event
def notify_slack(push: CloudEvent) -> None:
    """Bring the cards of one message from the topic up to date."""
    event = receive(push.data)
    routing = configuration()[1]
    issue, hearings = card.shown(event), routing.hearings(event)
    if issue is None or not hearings:
        log.info("Nothing to post", extra={"why": card.silence(event) or routing.silence(event)})
        return
    logs.bind(issue=issue.number)
    if slack().posts_to_webhook():
        replies = any(hearing.replies for hearing in hearings)
        show((Hearing(channel="webhook", replies=replies),), lambda hearing: post_line(hearing, event, issue))
    else:
        show(hearings, lambda hearing: keep_card(hearing, event, issue))


def show(hearings: tuple[Hearing, ...], act: Callable[[Hearing], None]) -> None:
    """Act on every channel, also when one refuses or takes all the time, then raise the first refusal."""
    failures: list[PipelineError] = []
    with deadline.limit(DELIVERY_SECONDS):
        for hearing in hearings:
            try:
                act(hearing)
            except PipelineError as failure:
                log.warning(
                    "Not posted: %s", failure, extra={"channel": hearing.channel, "reason": failure.reason}
                )
                failures.append(failure)
    if failures:
        raise failures[0]


def keep_card(hearing: Hearing, event: IssueEvent, issue: Issue) -> None:
    """Bring the issue's card in one channel up to date."""
    outcome = living().handle(hearing, event, issue)
    log.info(outcome.done, extra={"channel": hearing.channel, "ts": outcome.ts, "replied": outcome.replied})


def post_line(hearing: Hearing, event: IssueEvent, issue: Issue) -> None:
    """Post one line for an event that is worth one; an incoming webhook can do nothing else."""
    if not card.is_line(event, hearing):
        why = "an incoming webhook hears only of opened, and of closed and reopened by nobody muted"
        log.info("Nothing to post", extra={"why": why})
        return
    with recent.first(event.delivery_id) as todo:
        if todo:
            slack().post("webhook", card.line(event, issue, configuration()[0].github_url))
        log.info("Posted" if todo else "Handled before", extra={"channel": "webhook"})
