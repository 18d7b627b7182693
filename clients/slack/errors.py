"""What each of Slack's refusals means, and what the operator does about it."""

import re
from collections.abc import Mapping
from http import HTTPStatus

from clients.slack.rate_limit import retry_after
from pipeline.errors import PipelineError, Unavailable

# What a shorter message may cure: https://docs.slack.dev/reference/methods/chat.postMessage#errors
CURED_BY_TEXT = {
    "block_mismatch",
    "invalid_arguments",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_payload",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
}
RATE_LIMITED = {"ratelimited", "rate_limited"}
_INSTALL = "install the app again from config/slack-app.yaml"
_POLICY = "a workspace policy forbids this; ask an administrator"
_ID = "check the channel's id in routes.toml, and invite the app if it is private"
_ARCHIVED = "unarchive the channel, or name another in routes.toml"
_ANOTHER_APP = "another app posted this card; let one app alone post to the channel"
_GONE = "the card was deleted meanwhile; the next delivery posts it again"
_THREADS = "the channel takes no messages or no threads; let it take both, or name another in routes.toml"
_MIGRATES = "Slack is moving the workspace or the channel; it is tried again until that is done"
_AGAIN = "Slack is in trouble; it is tried again"
_NO_WEBHOOK = "the incoming webhook was removed or turned off; make a new one"
_OURS = "this is a fault of Issuewire; report it with the delivery's id"
_UNKNOWN = "it is tried again; if it stays, see https://docs.slack.dev/reference/methods"
_REMEDIES = {
    "access_denied": _POLICY,
    "accesslimited": "the app may call Slack from certain addresses only; take the limit out of its settings",
    "account_inactive": "the app was removed from the workspace; install it again",
    "action_prohibited": _POLICY,
    "app_access_restricted": _POLICY,
    "cannot_reply_to_message": _THREADS,
    "cant_delete_message": _ANOTHER_APP,
    "cant_update_message": _ANOTHER_APP,
    "channel_is_archived": _ARCHIVED,
    "channel_is_limited_access": "the channel belongs to a Salesforce record; name another in routes.toml",
    "channel_not_found": _ID,
    "edit_window_closed": "let the workspace's settings allow messages to be edited at any time",
    "ekm_access_denied": _POLICY,
    "enterprise_is_restricted": _POLICY,
    "external_channel_migrating": _MIGRATES,
    "fatal_error": _AGAIN,
    "internal_error": _AGAIN,
    "invalid_auth": "the token is wrong, or its app may not call from here; store the bot token again",
    "invalid_cursor": "the channel changed while it was read; it is tried again",
    "invalid_metadata_format": _OURS,
    "invalid_metadata_schema": _OURS,
    "invalid_token": "the webhook's URL is wrong; store it again",
    "is_archived": _ARCHIVED,
    "is_bot": "store the bot token (xoxb-...) of an app made from config/slack-app.yaml",
    "is_inactive": _ARCHIVED,
    "message_limit_exceeded": "the workspace's free plan is used up; ask an administrator",
    "message_not_found": _GONE,
    "metadata_must_be_sent_from_app": "store the bot token (xoxb-...) of an app, not that of a person",
    "metadata_too_large": _OURS,
    "method_not_supported_for_channel_type": _ID,
    "missing_scope": f"{_INSTALL}, which asks for every scope",
    "no_active_hooks": _NO_WEBHOOK,
    "no_permission": "invite the app to the channel",
    "no_service": _NO_WEBHOOK,
    "no_service_id": "the webhook's URL is wrong; store it again",
    "no_team": "the incoming webhook's workspace is gone; make a new one",
    "not_allowed_token_type": "store a bot token (xoxb-...)",
    "not_authed": "the token is empty; store the bot token",
    "not_in_channel": "invite the app to the channel",
    "org_login_required": _MIGRATES,
    "posting_to_general_channel_denied": _POLICY,
    "request_timeout": _AGAIN,
    "restricted_action": _POLICY,
    "restricted_action_non_threadable_channel": _THREADS,
    "restricted_action_read_only_channel": _THREADS,
    "restricted_action_thread_locked": "an administrator locked the card's thread; unlock it",
    "restricted_action_thread_only_channel": _THREADS,
    "rollup_error": _AGAIN,
    "service_unavailable": _AGAIN,
    "team_access_not_granted": "install the app in the workspace that the channel belongs to",
    "team_added_to_org": _MIGRATES,
    "team_disabled": "the workspace is disabled; ask an administrator",
    "team_not_found": _ID,
    "thread_not_found": _GONE,
    "token_expired": "store a fresh token",
    "token_revoked": "install the app again and store its new token",
    "two_factor_setup_required": "the workspace asks for two-factor sign-in; set it up for the app's owner",
    "update_failed": _AGAIN,
}
_CODE = re.compile(r"[a-z_]{1,64}")
_SCOPES = re.compile(r"[a-z_.:,]{1,200}")


class SlackRefused(PipelineError):
    """Slack answered, and not with ok.

    `reason` is its own code, or http_STATUS; `needed` names scopes; `pause` is how many seconds Slack asks
    for, 0 when it is not about those.
    """

    def __init__(self, reason: str, needed: str = "", pause: int = 0) -> None:
        super().__init__(reason, f"Slack refused with {reason}.")
        self.needed = needed
        self.pause = pause


def refusal(code: object, status: int, headers: Mapping[str, str], needed: object = None) -> SlackRefused:
    """Return the refusal that an answer means; only a plain code becomes a reason that is counted."""
    known = str(code).strip() if isinstance(code, str) and _CODE.fullmatch(code.strip()) else ""
    if status == HTTPStatus.TOO_MANY_REQUESTS or known in RATE_LIMITED:
        return SlackRefused("ratelimited", pause=retry_after(headers))
    scopes = needed if isinstance(needed, str) and _SCOPES.fullmatch(needed) else ""
    return SlackRefused(known or f"http_{status}", scopes)


def no_answer(why: str) -> Unavailable:
    """Return the error for an answer that did not come, or that makes no sense."""
    return Unavailable("slack_unreachable", f"Slack gave no usable answer: {why}.")


def remedy(refused: SlackRefused) -> str:
    """Return what the operator does about it, or that nothing need be done."""
    if refused.pause:
        return f"it takes no more for {refused.pause} s; it is tried again"
    if refused.reason == "missing_scope" and refused.needed:
        return f"the app lacks the scope {refused.needed}; {_INSTALL}"
    return _REMEDIES.get(refused.reason, _UNKNOWN)
