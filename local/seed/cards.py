"""The cards of the year's last weeks, as notify_slack's own code would have posted them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from clients.slack.client import Slack
from functions.notify_slack.routing import routes_file
from functions.notify_slack.routing.eligibility import CardEvent, NotShown
from functions.notify_slack.routing.routes import Destination
from functions.notify_slack.store.card_store import CardStore
from functions.notify_slack.store.fan_out import FanOut
from functions.notify_slack.store.former_names import FormerNames
from local.seed.clock import Clock
from local.seed.year import Sent
from local.stack.options import TOKEN
from local.stack.stack import Stack
from pipeline.team import Team


def post(stack: Stack, clock: Clock, deliveries: Sequence[Sent], team: Team) -> Iterator[int]:
    """Show the deliveries in their order, and yield how many are done, after each.

    The clock is that of the stand-in; it ends at the last delivery. Nothing waits for a rate limit: by this
    clock the deliveries are as far apart as they were. Raises PipelineError.
    """
    routes = replace(routes_file.parse(stack.options.routes.read_text("utf-8-sig")), bots=team.bots)
    slack = Slack(lambda: TOKEN, stack.slack.url, clock, clock.sleep)
    cards = CardStore(slack, routes.fold_over, clock.now, clock.sleep)
    former_names, fan_out = FormerNames(), FanOut()

    def upsert(event: CardEvent, destination: Destination) -> None:
        cards.upsert(event, destination)

    for done, sent in enumerate(deliveries, 1):
        clock.set(sent.delivery.received_at)
        event = CardEvent.of(sent.event)
        if not isinstance(event, NotShown):
            fan_out.run(event, routes.destinations(sent.event, former_names.of(sent.event)), upsert)
        yield done
