"""What each error code of Slack means, and what the operator does about it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from clients.slack.rate_limit import retry_after
from pipeline.errors import PipelineError, Unavailable

# A shorter message may pass after these: https://docs.slack.dev/reference/methods/chat.postMessage#errors
SHORTER_MAY_PASS = {
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
_REINSTALL = "install the app again from config/slack-app.yaml"
_POLICY = "a workspace policy forbids this; ask an administrator"
_CHANNEL_ID = "check the channel's id in routes.toml, and invite the app if the channel is private"
_ARCHIVED = "unarchive the channel, or name another in routes.toml"
_OTHER_APP = "another app posted this message; let only one app post to the channel"
_DELETED = "the message was deleted meanwhile; the next delivery posts it again"
_NO_THREADS = "the channel does not allow messages or threads; allow both, or name another in routes.toml"
_MIGRATING = "Slack is moving the workspace or the channel; it is tried again until that is done"
_SLACK_FAILED = "Slack has a problem; it is tried again"
_NO_WEBHOOK = "the incoming webhook was removed or disabled; make a new one"
_WEBHOOK_URL = "the webhook's URL is wrong; store it again"
_BUG = "this is a bug in Issuewire; report it with the delivery's id"
_UNKNOWN = "it is tried again; if it keeps failing, see https://docs.slack.dev/reference/methods"
_REMEDIES = {
    "access_denied": _POLICY,
    "accesslimited": "the app may call Slack from certain addresses only; remove that limit in its settings",
    "account_inactive": "the app was removed from the workspace; install it again",
    "action_prohibited": _POLICY,
    "app_access_restricted": _POLICY,
    "cannot_reply_to_message": _NO_THREADS,
    "cant_delete_message": _OTHER_APP,
    "cant_update_message": _OTHER_APP,
    "channel_is_archived": _ARCHIVED,
    "channel_is_limited_access": "the channel belongs to a Salesforce record; name another in routes.toml",
    "channel_not_found": _CHANNEL_ID,
    "edit_window_closed": "let the workspace's settings allow messages to be edited at any time",
    "ekm_access_denied": _POLICY,
    "enterprise_is_restricted": _POLICY,
    "external_channel_migrating": _MIGRATING,
    "fatal_error": _SLACK_FAILED,
    "internal_error": _SLACK_FAILED,
    "invalid_auth": "the token is wrong, or its app may not call from here; store the bot token again",
    "invalid_cursor": "the channel changed while it was read; it is tried again",
    "invalid_metadata_format": _BUG,
    "invalid_metadata_schema": _BUG,
    "invalid_token": _WEBHOOK_URL,
    "is_archived": _ARCHIVED,
    "is_bot": "store the bot token (xoxb-...) of an app made from config/slack-app.yaml",
    "is_inactive": _ARCHIVED,
    "message_limit_exceeded": "the workspace's free plan is used up; ask an administrator",
    "message_not_found": _DELETED,
    "metadata_must_be_sent_from_app": "store the bot token (xoxb-...) of an app, not that of a person",
    "metadata_too_large": _BUG,
    "method_not_supported_for_channel_type": _CHANNEL_ID,
    "missing_scope": f"{_REINSTALL}, which asks for every scope",
    "no_active_hooks": _NO_WEBHOOK,
    "no_permission": "invite the app to the channel",
    "no_service": _NO_WEBHOOK,
    "no_service_id": _WEBHOOK_URL,
    "no_team": "the incoming webhook's workspace no longer exists; make a new one",
    "not_allowed_token_type": "store a bot token (xoxb-...)",
    "not_authed": "the token is empty; store the bot token",
    "not_in_channel": "invite the app to the channel",
    "org_login_required": _MIGRATING,
    "posting_to_general_channel_denied": _POLICY,
    "request_timeout": _SLACK_FAILED,
    "restricted_action": _POLICY,
    "restricted_action_non_threadable_channel": _NO_THREADS,
    "restricted_action_read_only_channel": _NO_THREADS,
    "restricted_action_thread_locked": "an administrator locked the thread; unlock it",
    "restricted_action_thread_only_channel": _NO_THREADS,
    "rollup_error": _SLACK_FAILED,
    "service_unavailable": _SLACK_FAILED,
    "team_access_not_granted": "install the app in the workspace that the channel belongs to",
    "team_added_to_org": _MIGRATING,
    "team_disabled": "the workspace is disabled; ask an administrator",
    "team_not_found": _CHANNEL_ID,
    "thread_not_found": _DELETED,
    "token_expired": "store a fresh token",
    "token_revoked": "install the app again and store its new token",
    "two_factor_setup_required": "the workspace requires two-factor sign-in; set it up for the app's owner",
    "update_failed": _SLACK_FAILED,
}
_CODE = re.compile(r"[a-z_]{1,64}")
_SCOPES = re.compile(r"[a-z_.:,]{1,200}")


class SlackRefused(PipelineError):
    """Slack's answer was not ok.

    `reason` is Slack's own code, or http_STATUS; `missing_scopes` lists scopes by commas; `pause` is how many
    seconds Slack asks for, 0 if it does not limit the rate.
    """

    def __init__(self, reason: str, missing_scopes: str = "", pause: int = 0) -> None:
        super().__init__(reason, f"Slack refused with {reason}.")
        self.missing_scopes = missing_scopes
        self.pause = pause


def refusal(code: object, status: int, headers: Mapping[str, str], needed: object = None) -> SlackRefused:
    """Return the error that an answer means. Only a well-formed code becomes a reason, which is counted."""
    known = str(code).strip() if isinstance(code, str) and _CODE.fullmatch(code.strip()) else ""
    if status == HTTPStatus.TOO_MANY_REQUESTS or known in RATE_LIMITED:
        return SlackRefused("ratelimited", pause=retry_after(headers))
    scopes = needed if isinstance(needed, str) and _SCOPES.fullmatch(needed) else ""
    return SlackRefused(known or f"http_{status}", scopes)


def no_answer(why: str) -> Unavailable:
    """Return the error for an answer that did not come or that makes no sense."""
    return Unavailable("slack_unreachable", f"Slack gave no usable answer: {why}.")


def remedy(refused: SlackRefused) -> str:
    """Return what the operator does about the error, or that it is tried again."""
    if refused.pause:
        return f"it accepts no more for {refused.pause} s; it is tried again"
    if refused.reason == "missing_scope" and refused.missing_scopes:
        return f"the app lacks the scope {refused.missing_scopes}; {_REINSTALL}"
    return _REMEDIES.get(refused.reason, _UNKNOWN)


@contextmanager
def raising_unavailable() -> Iterator[None]:
    """Raise SlackRefused as Unavailable, whose text names the remedy."""
    try:
        yield
    except SlackRefused as error:
        text = f"Slack answered {error.reason}: {remedy(error)}."
        raise Unavailable(f"slack_{error.reason}", text) from error
