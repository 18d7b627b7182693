"""What a user brings to the stack: a webhook's secret, and a token of Slack itself."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import serve
from local.processes import Child, NotReady
from local.stack import accounts
from local.stack.options import TOKEN, Options
from local.stack.stack import Stack


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"It's a Secret", "It's a Secret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b" s3cret \n\n", " s3cret \n"),
        ("Schlüssel\n".encode(), "Schlüssel"),
    ],
)
def test_the_secret_is_the_file_without_its_last_newline(tmp_path: Path, content: bytes, secret: str) -> None:
    """One newline at the end is left out, as ingest does, and nothing else."""
    (tmp_path / "secret").write_bytes(content)
    assert accounts.read_secret(tmp_path / "secret") == secret


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_a_secret_that_cannot_be_used_is_one_line(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    """Nothing starts with an empty, unreadable or missing secret; the line names the file."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NotReady) as caught:
        Stack(Options(state=tmp_path / "state", secret_file=path), lambda *_: None)
    assert str(caught.value).startswith(f"the secret's file {path} {problem}")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\n", "is empty"),
        (b"xoxb-one\nxoxb-two", "holds more than one token"),
        (None, "cannot be read"),
    ],
)
def test_a_token_that_cannot_be_used_is_one_line(tmp_path: Path, content: bytes | None, problem: str) -> None:
    """Nothing starts without one token in the file; the line names the file and not what is in it."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NotReady) as caught:
        Stack(Options(state=tmp_path / "state", slack_token_file=path), lambda *_: None)
    assert str(caught.value).startswith(f"the token's file {path} {problem}")
    assert "xoxb" not in str(caught.value)
    assert not (tmp_path / "state").exists()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with a file of each kind."""
    (tmp_path / "token").write_text("xoxb-yours")
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextlib.contextmanager
def half_started(options: Options) -> Iterator[Stack]:
    """Yield a stack of which only the stand-ins for Slack, GitHub and Secret Manager run."""
    stack = Stack(options, lambda *_: None)
    try:
        stack.slack.start()
        stack.github.start()
        stack.secret_manager.start()
        yield stack
    finally:
        stack.stop()


def environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the environment that notify_slack is given."""
    started: list[Child] = []
    monkeypatch.setattr(Stack, "_start", lambda _, child: started.append(child))
    stack._start_function("notify_slack")
    return dict(started[0].environment)


def test_slack_itself_is_reached_through_your_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a token's file notify_slack reads that file, and calls Slack's own address, through your proxy."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    with half_started(Options(state=folder / "state", slack_token_file=Path("token"))) as stack:
        found = environment(stack, monkeypatch)
        assert stack.slack_is_real
    assert found["SLACK_TOKEN_FILE"] == str(folder / "token")
    assert (found["SLACK_API_URL"], found.get("SLACK_TOKEN")) == ("", None)
    assert found["HTTPS_PROXY"] == "http://proxy.example:3128"


def test_the_stand_in_is_used_otherwise(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token's file notify_slack has the stand-in's address and token, and no proxy."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    with half_started(Options(state=folder / "state")) as stack:
        found = environment(stack, monkeypatch)
        assert not stack.slack_is_real
        assert found["SLACK_API_URL"] == stack.slack.url
    assert Path(found["SLACK_TOKEN_FILE"]).read_text() == TOKEN
    assert "HTTPS_PROXY" not in found


def test_the_endpoints_lead_the_commands_to_your_accounts(folder: Path) -> None:
    """endpoints.json has the webhook's secret and Slack's address, and the token's file but no token."""
    options = Options(
        state=folder / "state", secret_file=folder / "secret", slack_token_file=folder / "token"
    )
    with half_started(options) as stack:
        found = serve.endpoints(stack)
        name, where = serve.slack_entry(stack)
    assert found["webhook_secret"] == "s3cret"
    assert found["slack_url"] == "https://slack.com/api/"
    assert found["slack_token_file"] == str(folder / "token")
    assert "xoxb-" not in repr(found)
    assert (name, "must exist there" in where) == ("Slack", True)
