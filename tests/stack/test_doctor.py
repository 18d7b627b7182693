"""doctor finds nothing wrong with a stack that runs, and finds what has stopped."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from local.serve import endpoints_file
from local.stack.stack import Stack
from ops import local_stack
from ops.__main__ import ops

pytestmark = pytest.mark.stack


@pytest.fixture
def published(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Publish the stack's addresses, as make serve does."""
    monkeypatch.setattr(local_stack, "ENDPOINTS", tmp_path / "endpoints.json")
    with endpoints_file(stack, local_stack.ENDPOINTS):
        yield stack


def test_a_healthy_stack_has_no_finding(published: Stack) -> None:
    """On a running stack doctor prints one line, ends with status 0, and changes nothing."""
    environment = dict(os.environ)
    result = CliRunner().invoke(ops, ["doctor", "--local"])
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1), result.output
    assert result.stdout.startswith("Nothing is wrong: ")
    assert published.slack.messages == []
    assert dict(os.environ) == environment


def test_a_token_file_that_is_gone_is_not_checked(published: Stack) -> None:
    """Without the file of Slack's token, everything else is looked at."""
    found = json.loads(local_stack.ENDPOINTS.read_text())
    local_stack.ENDPOINTS.write_text(json.dumps(found | {"slack_token_file": "/gone"}))
    result = CliRunner().invoke(ops, ["doctor", "--local"])
    assert (result.exit_code, result.stdout.count("\n")) == (3, 1), result.output
    assert result.stdout.startswith("?    Slack not checked: SLACK_TOKEN_FILE cannot be read")
    assert published.slack.messages == []


def test_a_slack_that_refuses_the_token_is_found(published: Stack) -> None:
    """A fault of one part is one finding."""
    published.slack.fail_until_cleared(error="invalid_auth")
    result = CliRunner().invoke(ops, ["doctor", "--local"])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith("BAD  slack_token  ")
