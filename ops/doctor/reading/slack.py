"""Reads Slack as notify_slack does: who the token is, and one message of each routed channel."""

from collections.abc import Iterator, Sequence
from typing import Any

from clients.slack import sdk
from clients.slack.errors import SlackRefused
from ops.doctor.facts import Channel, SlackToken
from ops.doctor.finding import NotChecked
from pipeline.errors import Unavailable

SECONDS = 15.0
AGAIN = "./issuewire doctor"
_BOT = "xoxb-"
_PASSING = {"ratelimited", "fatal_error", "internal_error", "request_timeout", "service_unavailable"}


def read_slack(
    api_url: str, token: str, channels: Sequence[str], *, fix: str, shows_pictures: bool = False
) -> Iterator[object]:
    """Yield the facts about the token and, if Slack accepts it, about every channel.

    `fix` is the command that gives notify_slack another token.
    """
    if not token.startswith(_BOT):
        why = "it is no bot token (xoxb-...), and an incoming webhook can only post"
        yield NotChecked(what="Slack's token", why=why, fix=fix)
        return
    try:
        scopes = sdk.granted_scopes(api_url, token, SECONDS)
    except SlackRefused as error:
        yield _refused_token(error)
        return
    except Unavailable as error:
        yield NotChecked(what="Slack", why=str(error), fix=AGAIN)
        return
    if scopes is None:
        yield NotChecked(
            what="the token's scopes", why="a proxy hides Slack's header X-OAuth-Scopes", fix=AGAIN
        )
    else:
        yield SlackToken(scopes=scopes, shows_pictures=shows_pictures)
    for channel in channels:
        yield _read_channel(api_url, token, channel)


def _read_channel(api_url: str, token: str, channel: str) -> Channel | NotChecked:
    what = f"the channel {channel}"
    try:
        answer = sdk.call(api_url, token, "conversations.history", {"channel": channel, "limit": 1}, SECONDS)
    except SlackRefused as error:
        if _passes(error):
            return NotChecked(what=what, why=str(error), fix=AGAIN)
        return Channel(id=channel, code=error.code, remedy=error.remedy)
    except Unavailable as error:
        return NotChecked(what=what, why=str(error), fix=AGAIN)
    return Channel(id=channel, newest_subtype=_newest_subtype(answer))


def _refused_token(error: SlackRefused) -> SlackToken | NotChecked:
    if _passes(error):
        return NotChecked(what="Slack", why=str(error), fix=AGAIN)
    return SlackToken(code=error.code, remedy=error.remedy)


def _passes(error: SlackRefused) -> bool:
    """Return whether Slack has refused for a while, whatever the token or the channel."""
    return error.code in _PASSING or error.code.startswith("http_5")


def _newest_subtype(answer: dict[str, Any]) -> str | None:
    messages = answer.get("messages")
    newest = messages[0] if isinstance(messages, list) and messages else None
    subtype = newest.get("subtype") if isinstance(newest, dict) else None
    return subtype if isinstance(subtype, str) else None
