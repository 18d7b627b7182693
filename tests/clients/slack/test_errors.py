"""Every refusal that an operator can cure says how, and the page for a bad day knows the same ones."""

import re
from pathlib import Path

import pytest

from clients.slack.errors import RATE_LIMITED, SlackRefused, refusal, remedy

OPERATIONS = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()


def codes(text: str) -> list[str]:
    """Return the words of the text."""
    return re.findall(r"\w+", text)


# Of chat.postMessage, chat.update, chat.delete, conversations.history and conversations.replies, by
# https://docs.slack.dev/reference/methods, without those about files, drafts, streams and arguments that no
# call of ours has; and of incoming webhooks.
TRANSIENT = codes("""external_channel_migrating fatal_error internal_error invalid_cursor org_login_required
request_timeout rollup_error service_unavailable team_added_to_org update_failed""")
CURABLE = codes("""access_denied accesslimited account_inactive action_prohibited app_access_restricted
cannot_reply_to_message cant_delete_message cant_update_message channel_is_archived channel_is_limited_access
channel_not_found edit_window_closed ekm_access_denied enterprise_is_restricted invalid_auth
invalid_metadata_format invalid_metadata_schema invalid_token is_archived is_bot is_inactive
message_limit_exceeded message_not_found metadata_must_be_sent_from_app metadata_too_large
method_not_supported_for_channel_type missing_scope no_active_hooks no_permission no_service no_service_id
no_team not_allowed_token_type not_authed not_in_channel posting_to_general_channel_denied restricted_action
restricted_action_non_threadable_channel restricted_action_read_only_channel restricted_action_thread_locked
restricted_action_thread_only_channel team_access_not_granted team_disabled team_not_found thread_not_found
token_expired token_revoked two_factor_setup_required""")
OURS = {  # reasons that the function has of its own
    *("ratelimited", "busy", "deadline", "http_5..", "unreachable", "invalid_blocks", "fold_contended"),
    *("token_unreadable", "token_blank", "token_malformed", "restricted_action_...", "..."),
}
UNKNOWN = remedy(SlackRefused("never_heard_of"))


@pytest.mark.parametrize("code", CURABLE)
def test_what_an_operator_can_cure_has_its_fix(code: str) -> None:
    """Not the general sentence, and not that it cures itself."""
    assert remedy(SlackRefused(code)) != UNKNOWN
    assert "tried again" not in remedy(SlackRefused(code))


@pytest.mark.parametrize("code", TRANSIENT)
def test_what_passes_says_that_it_is_tried_again(code: str) -> None:
    """Nobody has to do anything."""
    assert "tried again" in remedy(SlackRefused(code))
    assert remedy(SlackRefused(code)) != UNKNOWN


@pytest.mark.parametrize("code", sorted(RATE_LIMITED))
def test_a_rate_limit_says_how_long(code: str) -> None:
    """Both of Slack's codes are one reason, with the seconds that the header asks for."""
    refused = refusal(code, 200, {"Retry-After": "42"})
    assert (refused.reason, refused.pause) == ("ratelimited", 42)
    assert remedy(refused) == "it takes no more for 42 s; it is tried again"


@pytest.mark.parametrize("needed", ["<!channel>", "chat:write\nx", "x" * 201, "", None, 7, ["chat:write"]])
def test_what_is_no_scope_is_not_repeated(needed: object) -> None:
    """What Slack's answer calls needed is shown only where it reads as one."""
    assert remedy(refusal("missing_scope", 200, {}, needed)).startswith("install the app again")
    assert "lacks the scope chat:write;" in remedy(refusal("missing_scope", 200, {}, "chat:write"))


def test_the_page_for_a_bad_day_names_reasons_that_exist() -> None:
    """Each `slack_...` in its table is a code that the function knows, or a reason of its own."""
    named = set(re.findall(r"`slack_([a-z_0-9.]+)`", OPERATIONS))
    assert len(named) > 40
    assert named - {*CURABLE, *TRANSIENT} <= OURS
