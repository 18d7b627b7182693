"""What each of Slack's refusals means, and what the operator does about it."""

import re

from pipeline.errors import PipelineError

# What a shorter message may cure: https://docs.slack.dev/reference/methods/chat.postMessage#errors
CURED_BY_TEXT = {
    "invalid_arguments",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_payload",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
}
_INSTALL = "install the app again from config/slack-app.yaml"
_POLICY = "a workspace policy forbids this; ask an administrator"
_FIXES = {
    "account_inactive": "the app was removed from the workspace; install it again",
    "action_prohibited": _POLICY,
    "cant_delete_message": "another app posted this card; let one app alone post to the channel",
    "cant_update_message": "another app posted this card; let one app alone post to the channel",
    "channel_is_archived": "unarchive the channel, or name another in routes.toml",
    "channel_not_found": "check the channel's id in routes.toml, and invite the app if it is private",
    "edit_window_closed": "let the workspace's settings allow messages to be edited at any time",
    "invalid_auth": "the token is wrong; store the bot token again",
    "invalid_token": "the webhook's URL is wrong; store it again",
    "is_archived": "unarchive the channel, or name another in routes.toml",
    "message_not_found": "the card was deleted meanwhile; the next delivery posts it again",
    "missing_scope": f"{_INSTALL}, which asks for every scope",
    "no_service": "the incoming webhook was removed; make a new one",
    "not_allowed_token_type": "store a bot token (xoxb-...)",
    "not_authed": "the token is empty; store the bot token",
    "not_in_channel": "invite the app to the channel",
    "restricted_action": _POLICY,
    "thread_not_found": "the card was deleted meanwhile; the next delivery posts it again",
    "token_expired": "store a fresh token",
    "token_revoked": "install the app again and store its new token",
}
_UNKNOWN = "it is tried again; if it stays, see https://docs.slack.dev/reference/methods"
_CODE = re.compile(r"[a-z_]{1,64}")
_SCOPES = re.compile(r"[a-z_.:,]{1,200}")


class Refused(PipelineError):
    """Slack answered, and not with ok; `reason` is its own code, or http_STATUS; `needed` names scopes."""

    def __init__(self, reason: str, needed: str = "") -> None:
        super().__init__(reason, f"Slack refused with {reason}.")
        self.needed = needed


def refusal(code: object, status: int, needed: object = None) -> Refused:
    """Return the refusal that an answer means; only a plain code becomes a reason that is counted."""
    known = isinstance(code, str) and _CODE.fullmatch(code.strip()) is not None
    scopes = needed if isinstance(needed, str) and _SCOPES.fullmatch(needed) else ""
    return Refused(str(code).strip() if known else f"http_{status}", scopes)


def fix(refused: Refused) -> str:
    """Return what the operator does about it."""
    if refused.reason == "missing_scope" and refused.needed:
        return f"the app lacks the scope {refused.needed}; {_INSTALL}"
    return _FIXES.get(refused.reason, _UNKNOWN)
