"""Every error that an operator can resolve has a remedy, and docs/operations.md lists the same reasons."""

import re
from pathlib import Path

import pytest

from clients.slack.errors import RATE_LIMITED, SlackRefused, refusal

OPERATIONS = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()


def codes(text: str) -> list[str]:
    """Return the words of the text."""
    return re.findall(r"\w+", text)


# Errors of incoming webhooks and of chat.postMessage, chat.update, chat.delete, conversations.history and
# conversations.replies, by https://docs.slack.dev/reference/methods; without those about files, drafts,
# streams and arguments that no call of ours has.
TRANSIENT = codes("""external_channel_migrating fatal_error internal_error invalid_cursor org_login_required
request_timeout rollup_error service_unavailable team_added_to_org update_failed""")
RESOLVABLE = codes("""access_denied accesslimited account_inactive action_prohibited app_access_restricted
cannot_reply_to_message cant_delete_message cant_update_message channel_is_archived channel_is_limited_access
channel_not_found edit_window_closed ekm_access_denied enterprise_is_restricted invalid_auth
invalid_metadata_format invalid_metadata_schema invalid_token is_archived is_bot is_inactive
message_limit_exceeded message_not_found metadata_must_be_sent_from_app metadata_too_large
method_not_supported_for_channel_type missing_scope no_active_hooks no_permission no_service no_service_id
no_team not_allowed_token_type not_authed not_in_channel posting_to_general_channel_denied restricted_action
restricted_action_non_threadable_channel restricted_action_read_only_channel restricted_action_thread_locked
restricted_action_thread_only_channel team_access_not_granted team_disabled team_not_found thread_not_found
token_expired token_revoked two_factor_setup_required""")
OWN = {  # reasons that are not Slack's codes
    *("ratelimited", "busy", "deadline", "http_5..", "unreachable", "invalid_blocks", "fold_contended"),
    *("token_unreadable", "token_blank", "token_malformed", "restricted_action_...", "..."),
}
UNKNOWN = SlackRefused("not_documented").remedy


@pytest.mark.parametrize("code", RESOLVABLE)
def test_an_error_that_an_operator_can_resolve_has_a_remedy(code: str) -> None:
    """Every error that an operator can resolve has a remedy of its own."""
    assert SlackRefused(code).remedy != UNKNOWN
    assert "tried again" not in SlackRefused(code).remedy


@pytest.mark.parametrize("code", TRANSIENT)
def test_a_transient_error_says_that_it_is_tried_again(code: str) -> None:
    """The remedy of a transient error says that the call is tried again."""
    assert "tried again" in SlackRefused(code).remedy
    assert SlackRefused(code).remedy != UNKNOWN


@pytest.mark.parametrize("code", sorted(RATE_LIMITED))
def test_a_rate_limit_says_how_long_it_lasts(code: str) -> None:
    """Both of Slack's codes for a rate limit have one reason, with the seconds of the header."""
    refused = refusal(code, 200, {"Retry-After": "42"})
    assert (refused.reason, refused.pause) == ("slack_ratelimited", 42)
    assert refused.remedy == "it accepts no more for 42 s; it is tried again"


@pytest.mark.parametrize("needed", ["<!channel>", "chat:write\nx", "x" * 201, "", None, 7, ["chat:write"]])
def test_a_malformed_scope_is_not_repeated(needed: object) -> None:
    """The scope in Slack's answer is quoted only if it is well-formed."""
    assert refusal("missing_scope", 200, {}, needed).remedy.startswith("install the app again")
    assert "lacks the scope chat:write;" in refusal("missing_scope", 200, {}, "chat:write").remedy


def test_the_operations_page_names_reasons_that_exist() -> None:
    """Each `slack_...` on the operations page is one of Slack's codes or a reason of our own."""
    named = set(re.findall(r"`slack_([a-z_0-9.]+)`", OPERATIONS))
    assert len(named) > 40
    assert named - {*RESOLVABLE, *TRANSIENT} <= OWN
