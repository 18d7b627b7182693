"""The functions' environment: read once, every problem told together, no value ever quoted."""

import logging
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigurationError, Unavailable
from pipeline.settings import BigQuerySettings, IngestSettings, SlackSettings, at_start, both, read_routes

INGEST = {"PUBSUB_TOPIC": "projects/p/topics/t", "WEBHOOK_SECRET": "projects/p/secrets/s"}
SLACK = {"SLACK_TOKEN": "xoxb-1"}


def problems(settings: type, environment: dict[str, str]) -> tuple[str, ...]:
    """Return what is wrong with the environment."""
    with pytest.raises(ConfigurationError) as caught:
        settings.from_environment(environment)
    assert caught.value.reason == "configuration"
    return caught.value.problems


# ingest


def test_ingest_reads_its_settings() -> None:
    """Two settings are needed; surrounding space is no part of a value, and blank means not set."""
    settings = IngestSettings.from_environment(
        {"PUBSUB_TOPIC": " projects/p/topics/t\n", "WEBHOOK_SECRET": "projects/p/secrets/s", "EVENTS": " "}
    )
    assert settings == IngestSettings(
        topic="projects/p/topics/t", secret="projects/p/secrets/s", secret_endpoint=None, events=None
    )


@pytest.mark.parametrize(
    ("text", "events"),
    [("issues", {"issues"}), (" issues , issue_comment,", {"issues", "issue_comment"}), ("a,a", {"a"})],
)
def test_events_is_a_comma_list(text: str, events: set[str]) -> None:
    """Spaces and a comma at the end are forgiven."""
    assert IngestSettings.from_environment({**INGEST, "EVENTS": text}).events == events


@pytest.mark.parametrize(
    "text", ["issues issue_comment", "issues.opened", "Issues", ",", "issues,,x", "issues;push"]
)
def test_events_that_cannot_be_understood_are_refused(text: str) -> None:
    """A filter with a mistake would drop events in silence."""
    assert problems(IngestSettings, {**INGEST, "EVENTS": text}) == (
        "EVENTS is not of the form a comma list of event names",
    )


def test_every_problem_is_told_together_and_no_value_is_quoted() -> None:
    """One start shows all mistakes; a secret pasted into the wrong setting stays out of the log."""
    with pytest.raises(ConfigurationError) as caught:
        IngestSettings.from_environment(
            {"WEBHOOK_SECRET": "hunter2", "SECRET_MANAGER_ENDPOINT": "hunter3", "EVENTS": "hunter 4"}
        )
    assert str(caught.value) == (
        "Wrong configuration: PUBSUB_TOPIC is not set (expected projects/P/topics/T); "
        "WEBHOOK_SECRET is not of the form projects/P/secrets/S, a secret's name; "
        "SECRET_MANAGER_ENDPOINT is not of the form host:port; "
        "EVENTS is not of the form a comma list of event names"
    )
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    "topic",
    ["t", "projects/p/topics/", "projects/p/topics/t/x", "projects/p q/topics/t", "/projects/p/topics/t"],
)
def test_a_topic_is_a_full_name(topic: str) -> None:
    """A short name would only fail at the first publish."""
    [problem] = problems(IngestSettings, {**INGEST, "PUBSUB_TOPIC": topic})
    assert problem == "PUBSUB_TOPIC is not of the form projects/P/topics/T"


# notify_slack


def test_slack_settings_have_defaults() -> None:
    """A token is enough."""
    assert SlackSettings.from_environment(SLACK) == SlackSettings(
        token_file=None, token="xoxb-1", api_url=None, github_url="https://github.com"
    )
    assert SlackSettings.from_environment(SLACK).read_token() == "xoxb-1"


def test_the_file_goes_before_the_variable(tmp_path: Path) -> None:
    """With both set, the one that rotates without a deploy is used."""
    file = tmp_path / "token"
    file.write_text("\ufeffxoxb-2\r\n", encoding="utf-8")
    settings = SlackSettings.from_environment({**SLACK, "SLACK_TOKEN_FILE": str(file)})
    assert settings.read_token() == "xoxb-2"


def test_no_token_is_a_problem_that_names_both_forms() -> None:
    """Which of the two is set is free, one must be."""
    assert problems(SlackSettings, {"SLACK_TOKEN": " ", "SLACK_TOKEN_FILE": ""}) == (
        "SLACK_TOKEN_FILE or SLACK_TOKEN is not set (a bot token, or an incoming webhook's URL)",
    )


@pytest.mark.parametrize("token", ["xoxb-1 xoxb-2", "xoxb-1\nxoxb-2", "xoxb-ö", "https://hooks.example/a\tb"])
def test_a_token_that_http_cannot_carry_is_refused_at_start(token: str) -> None:
    """Such a token would rise from the HTTP client with its text, and so be logged."""
    assert problems(SlackSettings, {"SLACK_TOKEN": token}) == (
        "SLACK_TOKEN holds more than one token or URL: spaces, line breaks or other characters",
    )


def test_a_token_file_must_be_a_readable_file(tmp_path: Path) -> None:
    """A missing file and a folder in its place are told at start."""
    for path in (tmp_path / "missing", tmp_path):
        assert problems(SlackSettings, {"SLACK_TOKEN_FILE": str(path)}) == (
            "SLACK_TOKEN_FILE names no file that can be read",
        )


def test_a_token_file_that_vanishes_is_unavailable(tmp_path: Path) -> None:
    """The file is read anew each time, so its absence is retried, and its return noticed."""
    file = tmp_path / "token"
    file.write_text("xoxb-1")
    settings = SlackSettings.from_environment({"SLACK_TOKEN_FILE": str(file)})
    file.unlink()
    with pytest.raises(Unavailable) as caught:
        settings.read_token()
    assert caught.value.reason == "slack_token_unreadable"
    file.write_text("xoxb-2")
    assert settings.read_token() == "xoxb-2"


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
    """GitHub Enterprise and a stand-in of Slack may live anywhere, below a path too."""
    settings = SlackSettings.from_environment({**SLACK, "GITHUB_URL": url, "SLACK_API_URL": url})
    assert (settings.github_url, settings.api_url) == (kept, kept)


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
def test_what_is_no_base_url_is_refused(url: str) -> None:
    """It would break every link and every call, or write a password into each card."""
    assert problems(SlackSettings, {**SLACK, "GITHUB_URL": url, "SLACK_API_URL": url}) == (
        "SLACK_API_URL is not an http or https URL",
        "GITHUB_URL is not an http or https URL",
    )


def test_all_problems_of_slack_are_told_together() -> None:
    """Token, API and links in one message."""
    found = problems(SlackSettings, {"SLACK_TOKEN_FILE": "/nowhere", "SLACK_API_URL": "x", "GITHUB_URL": "y"})
    assert [problem.split()[0] for problem in found] == ["SLACK_TOKEN_FILE", "SLACK_API_URL", "GITHUB_URL"]


# The routes file


def test_routes_are_read_from_the_setting_or_from_the_folder(tmp_path: Path) -> None:
    """ROUTES_FILE goes before routes.toml beside the function; a byte order mark is no part of the text."""
    (tmp_path / "routes.toml").write_text("# ours", encoding="utf-8")
    (tmp_path / "other.toml").write_text("\ufeff# ä", encoding="utf-8")
    assert read_routes({"ROUTES_FILE": " "}, tmp_path) == "# ours"
    assert read_routes({"ROUTES_FILE": str(tmp_path / "other.toml")}, tmp_path) == "# ä"


def test_a_routes_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, a folder, or not UTF-8: the message names the path and what went wrong."""
    (tmp_path / "latin.toml").write_bytes(b"# \xe4")
    for path, error in (
        ("no.toml", "FileNotFoundError"),
        ("", "IsADirectoryError"),
        ("latin.toml", "UnicodeDecodeError"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            read_routes({"ROUTES_FILE": str(tmp_path / path)}, tmp_path)
        assert caught.value.problems == (f"ROUTES_FILE cannot be read ({error}: {tmp_path / path})",)


# stream_bq


@pytest.mark.parametrize(
    "table", ["p.github.events", "my-project.github.events", "example.com:p.github.events"]
)
def test_a_table_is_a_full_name(table: str) -> None:
    """Project, data set and table, of a project with a domain too."""
    assert BigQuerySettings.from_environment({"BIGQUERY_TABLE": table}).table == table


@pytest.mark.parametrize(
    "table", ["events", "github.events", "p.github.events.x", "p.git hub.events", "p..events", "`p.g.e`"]
)
def test_what_is_no_table_is_refused(table: str) -> None:
    """A wrong name would only fail at the first row."""
    assert problems(BigQuerySettings, {"BIGQUERY_TABLE": table}) == (
        "BIGQUERY_TABLE is not of the form PROJECT.DATASET.TABLE",
    )


@pytest.mark.parametrize(
    ("text", "stored"),
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
def test_store_payload_is_a_switch(text: str | None, stored: bool) -> None:  # noqa: FBT001 - a table
    """It is on unless it is switched off."""
    environment = {"BIGQUERY_TABLE": "p.d.t"} | ({} if text is None else {"STORE_PAYLOAD": text})
    assert BigQuerySettings.from_environment(environment).store_payload is stored


def test_a_switch_that_is_neither_is_refused() -> None:
    """A typing error must not store payloads that nobody wanted stored."""
    assert problems(BigQuerySettings, {"STORE_PAYLOAD": "flase"}) == (
        "BIGQUERY_TABLE is not set (expected PROJECT.DATASET.TABLE)",
        "STORE_PAYLOAD is neither true nor false",
    )


# At start


def test_wrong_settings_are_told_once_and_refuse_every_call(caplog: pytest.LogCaptureFixture) -> None:
    """The process starts, says what is wrong, and then fails each event with an error of its own."""
    with caplog.at_level(logging.CRITICAL, "issuewire"):
        get = at_start(lambda: IngestSettings.from_environment({}))
    [record] = caplog.records
    assert record.getMessage().startswith("Wrong configuration: PUBSUB_TOPIC is not set")
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
    """The environment is read at start and not again."""
    reads: list[int] = []
    get = at_start(lambda: reads.append(1) or "settings")
    assert [get(), get()] == ["settings", "settings"]
    assert reads == [1]


def test_what_is_no_configuration_error_is_not_hidden() -> None:
    """A mistake in the code stops the start."""
    with pytest.raises(ZeroDivisionError):
        at_start(lambda: 1 / 0)


def test_two_sources_report_together() -> None:
    """When either or both are wrong, one error names all; when both are right, both values come back."""

    def wrong(*names: str) -> Any:
        def read() -> None:
            raise ConfigurationError(names)

        return read

    assert both(lambda: 1, lambda: "a") == (1, "a")
    for first, second, expected in (
        (wrong("a", "b"), wrong("c"), ("a", "b", "c")),
        (lambda: 1, wrong("c"), ("c",)),
        (wrong("a"), lambda: 1, ("a",)),
    ):
        with pytest.raises(ConfigurationError) as caught:
            both(first, second)
        assert caught.value.problems == expected
