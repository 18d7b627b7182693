"""The metadata by which a card is found again, as far as more than one function knows it."""

from collections.abc import Mapping
from typing import Any

CARD = "issuewire_card"


def card_key(message: Mapping[str, Any]) -> str:
    """Return the key of the issue whose card the message is, REPOSITORY_ID#NUMBER, empty if it is no card."""
    return str(payload(message, CARD).get("issue") or "")


def payload(message: Mapping[str, Any], event_type: str) -> Mapping[str, Any]:
    """Return the payload of a message's metadata of this type, empty if it has none."""
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != event_type:
        return {}
    content = metadata.get("event_payload")
    return content if isinstance(content, dict) else {}
