"""notify_slack: read, decide, show. Returning acknowledges the message; raising has it delivered again."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import functions_framework
from cloudevents.http import CloudEvent

from clients.slack import deadline
from clients.slack.client import Slack
from clients.slack.webhook import IncomingWebhook, is_webhook_url
from pipeline import logs
from pipeline.logs import log
from pipeline.once import once
from pipeline.settings import collect_problems, load_at_startup, read_file
from pipeline.subscriber import receive
from pipeline.team import Team

from .cards import card
from .routing import routes_file
from .routing.eligibility import CardEvent, NotShown
from .routing.routes import Destination, Routes
from .settings import Settings
from .store.card_store import CardStore
from .store.fan_out import FanOut
from .store.former_names import FormerNames
from .store.locks import ProcessedIds
from .store.outcome import Outcome

# For all channels. Cloud Run ends a request after 60 s, and a call may take a little longer than its timeout.
DELIVERY_SECONDS = 45.0
SUBSCRIPTION = "notify-slack"
NO_LINE = "an incoming webhook shows only opened, closed and reopened, unless every route mutes the sender"
ROUTE_OUTDATED = "Route %r names a repository that is now called %s: write its new name in routes.toml"


def read_configuration() -> tuple[Settings, Routes]:
    """Return settings and routes. Raises ConfigurationError naming the problems of both."""
    return collect_problems(lambda: Settings.from_environment(os.environ), read_all_routes)


def read_all_routes() -> Routes:
    """Return the routes, which know the bots of the team's file. Raises ConfigurationError."""
    folder = Path(__file__).parent
    routes, team = collect_problems(
        lambda: routes_file.parse(read_file(os.environ, "ROUTES_FILE", folder / "routes.toml")),
        lambda: Team.read(os.environ, folder=folder),
    )
    return replace(routes, bots=team.bots)


logs.setup()
configuration = load_at_startup(read_configuration)
slack = once(lambda: Slack(configuration()[0].token.read, configuration()[0].api_url))
webhook = once(lambda: IncomingWebhook(configuration()[0].token.read))
cards = once(lambda: CardStore(slack(), configuration()[1].fold_over))
former_names = FormerNames()
fan_out = FanOut()
posted = ProcessedIds()  # delivery ids that the incoming webhook has posted


@functions_framework.cloud_event
def notify_slack(push: CloudEvent) -> None:
    """Update the cards of one message from the topic."""
    received = receive(push.data, SUBSCRIPTION)
    if received is None:
        return
    settings, routes = configuration()
    event = CardEvent.of(received, settings.github_url)
    former = former_names.of(received)
    for route in routes.outdated(received, former):
        log.error(ROUTE_OUTDATED, route.name, received.repository, extra={"reason": "route_outdated"})
    destinations = routes.destinations(received, former)
    if isinstance(event, NotShown):
        report(Outcome.NOT_SHOWN, why=event.reason)
    elif not destinations:
        report(Outcome.NOT_SHOWN, why=routes.why_unmatched(received))
    elif is_webhook_url(settings.token.read()):
        show(event, (webhook_destination(destinations),), post_line)
    else:
        show(event, destinations, upsert_card)


def show(
    event: CardEvent, destinations: tuple[Destination, ...], act: Callable[[CardEvent, Destination], None]
) -> None:
    """Act on every channel within the time of a delivery. Raises the first failure."""
    with deadline.limit(DELIVERY_SECONDS):
        fan_out.run(event, destinations, act)


def webhook_destination(destinations: tuple[Destination, ...]) -> Destination:
    """Return the one channel of an incoming webhook, which posts what any route would show."""
    return Destination(
        channel="webhook",
        replies=any(destination.replies for destination in destinations),
        makes_card=any(destination.makes_card for destination in destinations),
    )


def upsert_card(event: CardEvent, destination: Destination) -> None:
    """Create or update the issue's card in one channel."""
    result = cards().upsert(event, destination)
    report(result.outcome, channel=destination.channel, ts=result.ts, replied=result.replied)


def post_line(event: CardEvent, destination: Destination) -> None:
    """Post one line; an incoming webhook can neither update a card nor reply."""
    if not card.has_line(event, destination):
        report(Outcome.NOT_SHOWN, why=NO_LINE)
        return
    with posted.claim(event.delivery_id) as todo:
        if todo:
            webhook().post(card.line(event))
        report(Outcome.POSTED if todo else Outcome.ALREADY_HANDLED, channel="webhook")


def report(outcome: Outcome, **fields: object) -> None:
    """Log what became of the event."""
    log.info(outcome.sentence, extra={"outcome": outcome, **fields})
