"""Slack: the token, its scopes, and every channel of the routes."""

from collections.abc import Iterator
from typing import Any

from ops.doctor.facts import Channel, SlackToken
from ops.doctor.finding import Check, Problem

# Those of config/slack-app.yaml; only the week's numbers need the one for pictures.
SCOPES = frozenset({"chat:write", "channels:history", "groups:history"})
PICTURE_SCOPE = "files:write"
ABOUT_THE_TOKEN = {"missing_scope"}  # reported once, and not for each channel
_STORE = "./deploy.sh secrets slack <token.txt"
_ARCHIVED = {"channel_archive", "group_archive"}
_REDEPLOY = "./deploy.sh notify_slack"


def _token(found: SlackToken) -> Iterator[Problem]:
    if found.code is not None:
        yield Problem(text=f"Slack refuses the token with {found.code}: {found.remedy}", fix=_STORE)


def _scopes(found: SlackToken) -> Iterator[Problem]:
    lacking = (SCOPES | {PICTURE_SCOPE} if found.shows_pictures else SCOPES) - found.scopes
    if found.code is None and lacking:
        yield Problem(
            text=f"Slack's token lacks {', '.join(sorted(lacking))}; install the app again",
            fix=_STORE,
        )


def _not_in_channel(found: Channel) -> Iterator[Problem]:
    if found.code in {"not_in_channel", "no_permission"}:
        yield Problem(
            text=f"the app is not in the channel {found.id}; type the command there", fix="/invite @Issuewire"
        )


def _channel(found: Channel) -> Iterator[Problem]:
    if found.code not in {None, "not_in_channel", "no_permission", *ABOUT_THE_TOKEN}:
        yield Problem(text=f"the channel {found.id} answers {found.code}: {found.remedy}", fix=_REDEPLOY)


def _archived(found: Channel) -> Iterator[Problem]:
    if found.newest_subtype in _ARCHIVED:
        yield Problem(
            text=f"the channel {found.id} is archived: unarchive it, or name another in routes.toml",
            fix=_REDEPLOY,
        )


CHECKS: tuple[Check[Any], ...] = (
    Check(slug="slack_token", about=SlackToken, find=_token),
    Check(slug="slack_scopes", about=SlackToken, find=_scopes),
    Check(slug="slack_not_in_channel", about=Channel, find=_not_in_channel),
    Check(slug="slack_channel", about=Channel, find=_channel),
    Check(slug="slack_channel_archived", about=Channel, find=_archived),
)
