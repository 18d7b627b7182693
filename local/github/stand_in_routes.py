"""The routes by which `send` changes issues here before it delivers them itself; GitHub has none of them."""

from typing import Any

from flask import Blueprint, request

from local.github.errors import ApiError
from local.github.recording import missing
from local.github.state import GitHub
from ops.send.payload_spec import Impossible, PayloadSpec
from ops.send.payloads import Event

type Json = dict[str, Any]


def stand_in_routes(github: GitHub) -> Blueprint:
    """Return the routes. Nothing is delivered: that is left to who asks."""
    routes = Blueprint("stand_in", __name__, url_prefix="/stand-in")

    @routes.post("/specs")
    def carry_out() -> Json:
        """Return the event that options describe; store it too, unless only to be shown."""
        body = request.get_json()
        spec = PayloadSpec(**body["spec"])
        try:
            event, is_known = github.event_of(spec), github.known(spec) is not None
        except Impossible as error:
            raise ApiError(422, str(error)) from error
        if body["store"]:
            github.store(event)
        return {"event": event.name, "payload": event.payload, "is_known": is_known}

    @routes.post("/events")
    def store() -> Json:
        """Store an event as it is."""
        body = request.get_json()
        event = Event(name=body["event"], payload=body["payload"])
        if lacks := missing(event):
            raise ApiError(422, f"the payload has no {', no '.join(lacks)} as GitHub has")
        github.store(event)
        return {}

    return routes
