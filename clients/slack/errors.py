"""What each error code of Slack means, and what the operator does about it."""

import re
from collections.abc import Mapping
from http import HTTPStatus

from pipeline.errors import Unavailable

# A shorter message may pass after these: https://docs.slack.dev/reference/methods/chat.postMessage#errors
SHORTER_MAY_PASS = {
    *(
        "block_mismatch",
        "invalid_arguments",
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
    ),
    *("invalid_payload", "msg_blocks_too_long", "msg_too_long", "no_text"),
}
RATE_LIMITED = {"ratelimited", "rate_limited"}
_REINSTALL = "install the app again from config/slack-app.yaml"
_UNKNOWN = "it is tried again; if it keeps failing, see https://docs.slack.dev/reference/methods"
_FILES = "routes.toml or team.toml"  # where channels are named: those of cards, and those of digests
_NO_THREADS = f"the channel does not allow messages or threads; allow both, or name another in {_FILES}"
_MIGRATING = "Slack is moving the workspace or the channel; it is tried again until that is done"
_CODES = {  # Slack's error codes by their remedy
    "a workspace policy forbids this; ask an administrator": "access_denied action_prohibited"
    " app_access_restricted ekm_access_denied enterprise_is_restricted posting_to_general_channel_denied"
    " restricted_action",
    "the app may call Slack from certain addresses only; remove that limit in its settings": "accesslimited",
    "the app was removed from the workspace; install it again": "account_inactive",
    _NO_THREADS: "cannot_reply_to_message restricted_action_non_threadable_channel"
    " restricted_action_read_only_channel restricted_action_thread_only_channel",
    "another app posted this message; let only one app post to the channel": "cant_delete_message"
    " cant_update_message",
    f"unarchive the channel, or name another in {_FILES}": "channel_is_archived is_archived is_inactive",
    f"the channel belongs to a Salesforce record; name another in {_FILES}": "channel_is_limited_access",
    f"check the channel's id in {_FILES}, and invite the app if the channel is private": "channel_not_found"
    " method_not_supported_for_channel_type team_not_found",
    "let the workspace's settings allow messages to be edited at any time": "edit_window_closed",
    _MIGRATING: "external_channel_migrating org_login_required team_added_to_org",
    "a workspace setting forbids files, or such large ones; ask an administrator": "file_type_not_allowed"
    " file_upload_size_restricted file_uploads_disabled storage_limit_reached",
    "Slack has a problem; it is tried again": "fatal_error internal_error request_timeout rollup_error"
    " service_unavailable update_failed",
    "the token is wrong, or its app may not call from here; store the bot token again": "invalid_auth",
    "the channel changed while it was read; it is tried again": "invalid_cursor",
    "this is a bug in Issuewire; report it with the delivery's id": "invalid_metadata_format"
    " invalid_metadata_schema metadata_too_large",
    "the webhook's URL is wrong; store it again": "invalid_token no_service_id",
    "store the bot token (xoxb-...) of an app made from config/slack-app.yaml": "is_bot",
    "the workspace's free plan is used up; ask an administrator": "message_limit_exceeded",
    "the message was deleted meanwhile; the next delivery posts it again": "message_not_found"
    " thread_not_found",
    "store the bot token (xoxb-...) of an app, not that of a person": "metadata_must_be_sent_from_app",
    f"{_REINSTALL}, which asks for every scope": "missing_scope",
    "the incoming webhook was removed or disabled; make a new one": "no_active_hooks no_service",
    "invite the app to the channel": "no_permission not_in_channel",
    "the incoming webhook's workspace no longer exists; make a new one": "no_team",
    "store a bot token (xoxb-...)": "not_allowed_token_type",
    "the token is empty; store the bot token": "not_authed",
    "an administrator locked the thread; unlock it": "restricted_action_thread_locked",
    "install the app in the workspace that the channel belongs to": "team_access_not_granted",
    "the workspace is disabled; ask an administrator": "team_disabled",
    "store a fresh token": "token_expired",
    "install the app again and store its new token": "token_revoked",
    "the workspace requires two-factor sign-in; set it up for the app's owner": "two_factor_setup_required",
}
_REMEDIES = {code: remedy for remedy, codes in _CODES.items() for code in codes.split()}
_CODE = re.compile(r"[a-z_]{1,64}")
_SCOPES = re.compile(r"[a-z_.:,]{1,200}")
_SECONDS = re.compile(r"0*[1-9][0-9]{0,8}")


class SlackRefused(Unavailable):
    """Slack's answer was not ok; the text names the remedy, for the operator.

    `code` is Slack's own, or http_STATUS; `reason` is slack_CODE. `missing_scopes` lists scopes by commas.
    `pause` is how many seconds Slack asks for, 0 if it does not limit the rate.
    """

    def __init__(self, code: str, missing_scopes: str = "", pause: int = 0) -> None:
        self.code = code
        self.missing_scopes = missing_scopes
        self.pause = pause
        self.remedy = _REMEDIES.get(code, _UNKNOWN)
        if pause:
            self.remedy = f"it accepts no more for {pause} s; it is tried again"
        elif code == "missing_scope" and missing_scopes:
            self.remedy = f"the app lacks the scope {missing_scopes}; {_REINSTALL}"
        super().__init__(f"slack_{code}", f"Slack answered {code}: {self.remedy}.")


def refusal(code: object, status: int, headers: Mapping[str, str], needed: object = None) -> SlackRefused:
    """Return the error that an answer means. Only a well-formed code becomes a reason, which is counted."""
    known = str(code).strip() if isinstance(code, str) and _CODE.fullmatch(code.strip()) else ""
    if status == HTTPStatus.TOO_MANY_REQUESTS or known in RATE_LIMITED:
        return SlackRefused("ratelimited", pause=_retry_after(headers))
    scopes = needed if isinstance(needed, str) and _SCOPES.fullmatch(needed) else ""
    return SlackRefused(known or f"http_{status}", scopes)


def no_answer(why: str) -> Unavailable:
    """Return the error for an answer that did not come or that makes no sense."""
    return Unavailable("slack_unreachable", f"Slack gave no usable answer: {why}.")


def _retry_after(headers: Mapping[str, str]) -> int:
    """Return the seconds that Slack's Retry-After asks for, 1 if the header is missing or malformed."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return int(value) if _SECONDS.fullmatch(value) else 1
