"""All that is known of one delivery: what became of it, its body, and what the functions logged."""

import json
from typing import Any

from local.console.warehouse import Warehouse
from local.feed.feed import Feed
from local.stack.stack import Stack

type Json = dict[str, Any]


class Details:
    """The deliveries of one stack."""

    def __init__(self, stack: Stack, feed: Feed, warehouse: Warehouse) -> None:
        self._hooks = stack.github.github.hooks
        self._feed = feed
        self._warehouse = warehouse

    def of(self, delivery_id: str, *, whole: bool = True) -> Json | None:
        """Return a delivery, None if the feed does not know it (any more). Raises NoAnswer.

        Without `whole`, the body and the lines are left out, and BigQuery is not asked.
        """
        summary = self._feed.delivery(delivery_id)
        if summary is None:
            return None
        if not whole:
            return summary.as_json()
        shown = ("part", "at", "level", "text", "kind", "fields")
        happened = [each.as_json() for each in self._feed.since(0) if each.delivery_id == delivery_id]
        lines = [{name: each[name] for name in shown} for each in happened]
        return {**summary.as_json(), "body": self._body(delivery_id), "lines": lines}

    def _body(self, delivery_id: str) -> str | None:
        """Return the body as GitHub has sent it; of a delivery that GitHub does not list, as it is stored."""
        for listed in list(self._hooks.deliveries.values()):
            for delivery in list(listed):
                if delivery["guid"] == delivery_id:
                    return json.dumps(delivery["request"]["payload"])
        return self._warehouse.body(delivery_id)
