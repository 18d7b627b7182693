"""Settings are read once, every problem is reported together, and no value is ever quoted."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigurationError, Unavailable
from pipeline.settings import RotatingToken, SettingsReader, collect_problems, load_at_startup, read_file


def problems(read: SettingsReader) -> tuple[str, ...]:
    """Return what is wrong with the settings that were read."""
    with pytest.raises(ConfigurationError) as caught, read:
        pass
    assert caught.value.reason == "configuration"
    return caught.value.problems


def failing(*names: str) -> Any:
    """Return a function that raises ConfigurationError with these problems."""

    def read() -> None:
        raise ConfigurationError(names)

    return read


def test_surrounding_space_is_no_part_of_a_value() -> None:
    """White space around a value is removed, and a blank setting counts as not set."""
    with SettingsReader({"A": " a\n", "BLANK": " \n"}) as read:
        assert (read.text("A"), read.text("BLANK"), read.text("ABSENT")) == ("a", None, None)


def test_every_problem_is_reported_and_no_value_is_quoted() -> None:
    """Every problem is reported, and no value is quoted, because a secret may be in the wrong setting."""
    read = SettingsReader({"A": "hunter2", "B": "hunter3", "C": "hunter4", "D": "hunter5", "E": "hunter 6"})
    digits = re.compile(r"\d+")
    assert read.matching("A", digits, "digits") == ""
    assert read.optional("B", digits, "digits") is None
    assert read.url("C") == ""
    assert read.boolean("D", default=True) is True
    read.token("E", "a token")
    assert read.matching("F", digits, "digits") == ""
    assert problems(read) == (
        "A is not of the form digits",
        "B is not of the form digits",
        "C is not an http or https URL",
        "D is neither true nor false",
        "E holds spaces, line breaks or other characters that no token has",
        "F is not set (expected digits)",
    )


@pytest.mark.parametrize(
    "topic",
    ["t", "projects/p/topics/", "projects/p/topics/t/x", "projects/p q/topics/t", "/projects/p/topics/t"],
)
def test_a_topic_is_a_full_name(topic: str) -> None:
    """A topic must be a full name, because a short one would fail at the first publish."""
    read = SettingsReader({"PUBSUB_TOPIC": topic})
    read.topic()
    assert problems(read) == ("PUBSUB_TOPIC is not of the form projects/P/topics/T",)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://github.acme.example", "https://github.acme.example"),
        ("https://acme.example/github/", "https://acme.example/github"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("HTTPS://acme.example", "HTTPS://acme.example"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
    ],
)
def test_a_base_url(url: str, kept: str) -> None:
    """A base URL may be on any host and below a path, as for GitHub Enterprise."""
    with SettingsReader({"API_URL": url}) as read:
        assert read.url("API_URL") == kept


def test_a_url_has_a_default() -> None:
    """A URL that is not set is the default, or empty without one."""
    with SettingsReader({"API_URL": " "}) as read:
        assert (read.url("API_URL", "https://api.github.com"), read.url("API_URL")) == (
            "https://api.github.com",
            "",
        )


@pytest.mark.parametrize(
    "url",
    [
        "github.com",
        "ftp://github.com",
        "https://",
        "https:///x",
        "https://git hub.com",
        "https://github.com|x",
        "https://github.com><!channel>",
        "https://github.com?x=1",
        "https://github.com#x",
        "https://mona:hunter2@github.com",
        "https://github.com:port",
        "https://github.com:99999",
        "https://[::1",
        "javascript:alert(1)",
        "https://github.com\nhttps://github.com",
    ],
)
def test_another_url_is_refused(url: str) -> None:
    """Any other URL is refused; it would break every link, or put a password into each card."""
    read = SettingsReader({"API_URL": url})
    assert read.url("API_URL") == ""
    assert problems(read) == ("API_URL is not an http or https URL",)


@pytest.mark.parametrize(
    ("text", "on"),
    [
        (None, True),
        ("", True),
        ("true", True),
        ("YES", True),
        ("1", True),
        ("False", False),
        ("no", False),
        ("0", False),
    ],
)
def test_a_switch(text: str | None, on: bool) -> None:  # noqa: FBT001 - a table
    """A switch understands true, yes and 1, false, no and 0, in any case."""
    with SettingsReader({} if text is None else {"SWITCH": text}) as read:
        assert read.boolean("SWITCH", default=True) is on


# Tokens


def test_a_token_from_the_variable() -> None:
    """A token may be in the variable alone, and is not in the repr of the settings."""
    token = SettingsReader({"SLACK_TOKEN": "xoxb-1"}).token("SLACK_TOKEN", "a bot token")
    assert token.read() == "xoxb-1"
    assert "xoxb" not in repr(token)


def test_the_file_wins_over_the_variable(tmp_path: Path) -> None:
    """The file wins over the variable, because it can be replaced without a deployment."""
    file = tmp_path / "token"
    file.write_text("\ufeffxoxb-2\r\n", encoding="utf-8")
    with SettingsReader({"SLACK_TOKEN": "xoxb-1", "SLACK_TOKEN_FILE": str(file)}) as read:
        assert read.token("SLACK_TOKEN", "a bot token").read() == "xoxb-2"


def test_a_missing_token_is_a_problem_that_names_both_settings() -> None:
    """The problem of a missing token names both settings and what the token is."""
    read = SettingsReader({"SLACK_TOKEN": " ", "SLACK_TOKEN_FILE": ""})
    read.token("SLACK_TOKEN", "a bot token")
    assert problems(read) == ("SLACK_TOKEN_FILE or SLACK_TOKEN is not set (a bot token)",)


@pytest.mark.parametrize("token", ["xoxb-1 xoxb-2", "xoxb-1\nxoxb-2", "xoxb-ö", "https://hooks.example/a\tb"])
def test_a_token_that_http_cannot_carry_is_refused_at_startup(token: str) -> None:
    """A token that no header can carry is refused, because the HTTP client's error would quote it."""
    read = SettingsReader({"SLACK_TOKEN": token})
    read.token("SLACK_TOKEN", "a bot token")
    assert problems(read) == ("SLACK_TOKEN holds spaces, line breaks or other characters that no token has",)


def test_a_token_file_must_be_a_readable_file(tmp_path: Path) -> None:
    """A missing file and a folder in its place are reported at startup."""
    for path in (tmp_path / "missing", tmp_path):
        read = SettingsReader({"SLACK_TOKEN_FILE": str(path)})
        read.token("SLACK_TOKEN", "a bot token")
        assert problems(read) == ("SLACK_TOKEN_FILE names no file that can be read",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "slack_token_blank"),
        (b" \n\t", "slack_token_blank"),
        (b"xoxb-one\nxoxb-two\n", "slack_token_malformed"),
        (b"xoxb-one xoxb-two", "slack_token_malformed"),
        ("xoxb-ö".encode(), "slack_token_malformed"),
        (b"xoxb-\x00", "slack_token_malformed"),
        (b"https://hooks.example/services/T/B/\rx", "slack_token_malformed"),
        (b"\xff\xfe\x00", "slack_token_unreadable"),
        (None, "slack_token_unreadable"),
    ],
)
def test_a_broken_token_file_is_unavailable(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """A broken token file is Unavailable without quoting it; the next good token is used at once."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    token = RotatingToken(name="SLACK_TOKEN", file=file)
    with pytest.raises(Unavailable) as caught:
        token.read()
    assert caught.value.reason == reason
    assert str(caught.value).startswith("SLACK_TOKEN_FILE ")
    assert "xoxb" not in str(caught.value)
    file.write_text("xoxb-2")
    assert token.read() == "xoxb-2"


def test_the_reason_for_a_blank_file_can_be_another(tmp_path: Path) -> None:
    """An empty GitHub token counts as github_token_malformed."""
    (tmp_path / "token").write_text("")
    token = RotatingToken(name="GITHUB_TOKEN", file=tmp_path / "token", if_blank="malformed")
    with pytest.raises(Unavailable) as caught:
        token.read()
    assert caught.value.reason == "github_token_malformed"


# At startup


def test_wrong_settings_are_logged_once_and_refuse_every_call(caplog: pytest.LogCaptureFixture) -> None:
    """Wrong settings are logged once at startup; each event then fails with an error of its own."""
    with caplog.at_level(logging.CRITICAL, "issuewire"):
        get = load_at_startup(failing("PUBSUB_TOPIC is not set"))
    [record] = caplog.records
    assert record.getMessage() == "Wrong configuration: PUBSUB_TOPIC is not set"
    assert vars(record)["reason"] == "configuration"
    raised = []
    for _ in range(2):
        with pytest.raises(ConfigurationError) as caught:
            get()
        raised.append(caught.value)
    assert raised[0].problems == raised[1].problems
    assert raised[0] is not raised[1]
    assert len(caplog.records) == 1


def test_right_settings_are_read_once() -> None:
    """The environment is read at startup and not again."""
    reads: list[int] = []
    get = load_at_startup(lambda: reads.append(1) or "settings")
    assert [get(), get()] == ["settings", "settings"]
    assert reads == [1]


def test_another_error_is_not_hidden() -> None:
    """Another error, which is a defect in the code, stops the start."""
    with pytest.raises(ZeroDivisionError):
        load_at_startup(lambda: 1 / 0)


def test_two_sources_report_together() -> None:
    """If either or both are wrong, one error names all problems; if both are right, both values return."""
    assert collect_problems(lambda: 1, lambda: "a") == (1, "a")
    for first, second, expected in (
        (failing("a", "b"), failing("c"), ("a", "b", "c")),
        (lambda: 1, failing("c"), ("c",)),
        (failing("a"), lambda: 1, ("a",)),
    ):
        with pytest.raises(ConfigurationError) as caught:
            collect_problems(first, second)
        assert caught.value.problems == expected


def test_a_file_is_read_from_the_setting_or_from_the_folder(tmp_path: Path) -> None:
    """A setting wins over the file beside the function; a byte order mark is ignored."""
    default = tmp_path / "routes.toml"
    default.write_text("# ours", encoding="utf-8")
    (tmp_path / "other.toml").write_text("\ufeff# ä", encoding="utf-8")
    assert read_file({"ROUTES_FILE": " "}, "ROUTES_FILE", default) == "# ours"
    assert read_file({"ROUTES_FILE": str(tmp_path / "other.toml")}, "ROUTES_FILE", default) == "# ä"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The error about an unreadable file names its setting, its path and the cause."""
    (tmp_path / "latin.toml").write_bytes(b"# \xe4")
    for path, error in (
        ("no.toml", "FileNotFoundError"),
        ("", "IsADirectoryError"),
        ("latin.toml", "UnicodeDecodeError"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            read_file({"ROUTES_FILE": str(tmp_path / path)}, "ROUTES_FILE", tmp_path / "routes.toml")
        assert caught.value.problems == (f"ROUTES_FILE cannot be read ({error}: {tmp_path / path})",)
