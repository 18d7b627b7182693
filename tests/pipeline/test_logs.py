"""Every record becomes one JSON line, with the fields of the current request."""

import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pipeline import logs
from pipeline.errors import Busy, Malformed, Rejected, Unavailable
from pipeline.logs import log

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"

type Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """Set up logging as a function does; return a function that reads the lines written since."""
    root = logging.getLogger()
    before, level, ours = root.handlers[:], root.level, log.level
    root.handlers = []
    logs.setup()
    logs.start_request()

    def read() -> list[dict[str, Any]]:
        written = capsys.readouterr()
        assert written.err == ""
        assert written.out.count("\n") == len(written.out.splitlines())
        return [json.loads(line, parse_constant=pytest.fail) for line in written.out.splitlines()]

    yield read
    logging.captureWarnings(capture=False)
    logs.start_request()
    root.handlers, root.level = before, level
    log.setLevel(ours)


def test_a_line_is_json_with_severity_and_message(lines: Lines) -> None:
    """A line has `severity` and `message`, which Cloud Logging reads, and the extra fields."""
    log.info("Posted %s", "it", extra={"channel": "C1", "status": 200})
    assert lines() == [{"severity": "INFO", "message": "Posted it", "channel": "C1", "status": 200}]


@pytest.mark.parametrize(
    "message",
    ["two\nlines\r\n", '"quotes" \\ {', "\u2028\u2029\x85\x1e", "\ud800", "\0\x1b[31m", "漢 👩", ""],
)
def test_a_record_is_one_line_whatever_it_says(lines: Lines, message: str) -> None:
    """No text can start a second line and so forge a record."""
    log.warning(message)
    assert lines() == [{"severity": "WARNING", "message": message}]


@pytest.mark.parametrize("level", ["INFO", "WARNING", "ERROR", "CRITICAL"])
def test_levels_are_severities(lines: Lines, level: str) -> None:
    """Python's names of the levels are Cloud Logging's severities."""
    log.log(logging.getLevelNamesMapping()[level], "x")
    assert [line["severity"] for line in lines()] == [level]


def test_other_libraries_log_from_warning(lines: Lines) -> None:
    """Other libraries' INFO and our DEBUG are left out; their warnings are lines like ours."""
    other = logging.getLogger("some.library")
    other.info("details")
    log.debug("detail")
    other.warning("careful")
    with warnings.catch_warnings(action="default"):  # the test runner catches warnings itself
        logging.captureWarnings(capture=False)
        logs.setup()
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    careful, old = lines()
    assert careful == {"severity": "WARNING", "message": "careful"}
    assert "DeprecationWarning: old" in old["message"]


def test_setup_replaces_the_framework_s_handler(lines: Lines) -> None:
    """Our handler replaces the one that the framework adds with LOG_EXECUTION_ID=true."""
    logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
    logs.setup()
    logs.setup()
    log.info("once")
    assert len(lines()) == 1


# The fields of a request


def test_the_fields_of_a_request_are_on_each_line(lines: Lines) -> None:
    """Bound fields stay, None is left out, and the extra fields of one line are on that line alone."""
    logs.start_request(delivery_id="d-1")
    log.info("a", extra={"channel": "C1"})
    logs.bind(event="issues", action=None)
    log.info("b")
    assert lines() == [
        {"severity": "INFO", "message": "a", "delivery_id": "d-1", "channel": "C1"},
        {"severity": "INFO", "message": "b", "delivery_id": "d-1", "event": "issues"},
    ]


def test_the_next_request_starts_without_them(lines: Lines) -> None:
    """No field of the last request is on a line of the next, its trace included."""
    logs.start_request(delivery_id="d-1", traceparent=TRACEPARENT)
    logs.bind(issue=7)
    logs.start_request(event="ping")
    log.info("x")
    assert lines() == [{"severity": "INFO", "message": "x", "event": "ping"}]


def test_simultaneous_requests_do_not_share_fields(lines: Lines) -> None:
    """Each thread has its own fields, also if threads are reused."""
    together = threading.Barrier(8)

    def request(number: int) -> None:
        logs.start_request(delivery_id=f"d-{number}")
        together.wait(10)
        if number % 2:
            logs.bind(issue=number)
        together.wait(10)
        log.info("%d", number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(request, range(64)))
    written = lines()
    assert len(written) == 64
    for line in written:
        number = int(line["message"])
        issue = {"issue": number} if number % 2 else {}
        assert line == {"severity": "INFO", "message": str(number), "delivery_id": f"d-{number}", **issue}


def test_a_trace_is_on_every_line(lines: Lines) -> None:
    """A trace id is on every line, as `trace` and in the field by which Cloud Logging joins lines."""
    logs.start_request(traceparent=TRACEPARENT)
    logs.bind(delivery_id="d-1")
    log.info("x")
    assert lines() == [
        {
            "severity": "INFO",
            "message": "x",
            "trace": TRACE,
            "logging.googleapis.com/trace": TRACE,
            "delivery_id": "d-1",
        }
    ]


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        "x",
        7,
        [],
        TRACEPARENT.upper(),
        TRACEPARENT + "\n",
        TRACEPARENT[:-1],
        "00-" + "g" * 32 + "-b7ad6b7169203331-01",
    ],
)
def test_a_malformed_traceparent_is_left_out(lines: Lines, traceparent: Any) -> None:
    """A header that is not a traceparent does not become a field."""
    logs.start_request(traceparent=traceparent)
    log.info("x")
    assert lines() == [{"severity": "INFO", "message": "x"}]


# Errors


@pytest.mark.parametrize(
    "error",
    [Malformed("body_not_json", "No."), Unavailable("slack_x", "No."), Rejected(401, "signature", "No.")],  # type: ignore[arg-type]
)
def test_our_errors_have_a_reason_and_a_traceback(lines: Lines, error: Any) -> None:
    """An error of ours is logged in one line with its reason, its traceback and its cause."""
    error.__cause__ = ValueError("first")
    logging.getLogger("framework").error("Exception on / [POST]", exc_info=error)
    [line] = lines()
    assert line["severity"] == "ERROR"
    assert line["reason"] == error.reason
    assert line["message"].startswith("Exception on / [POST]\n")
    assert "ValueError: first" in line["message"]
    assert line["message"].index("ValueError: first") < line["message"].index("No.")
    assert "direct cause" in line["message"]


def test_work_that_waits_for_its_turn_is_no_error(lines: Lines) -> None:
    """Work that has to wait for its turn is a warning without a traceback: the retry is routine."""
    logging.getLogger("framework").error("Exception on / [POST]", exc_info=Busy("slack_busy", "Too many."))
    assert lines() == [
        {"severity": "WARNING", "message": "Exception on / [POST]: Too many.", "reason": "slack_busy"}
    ]


def test_other_errors_have_a_traceback_and_no_reason(lines: Lines) -> None:
    """Only our errors have a reason, and an error without one is logged too."""
    log.error("broken", exc_info=KeyError("x"))
    log.error("no current error", exc_info=True)
    broken, none = lines()
    assert "KeyError: 'x'" in broken["message"]
    assert "reason" not in broken
    assert none["message"] == "no current error"


def test_an_explicit_reason_wins_over_the_error_s(lines: Lines) -> None:
    """A reason that the caller gives wins over the reason of the error."""
    log.error("x", exc_info=Malformed("inner", "No."), extra={"reason": "outer"})
    assert [line["reason"] for line in lines()] == ["outer"]


# Records of other libraries


class Unprintable:
    """Raises when it is printed."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def circle() -> list[Any]:
    """Return a list that contains itself."""
    made: list[Any] = []
    made.append(made)
    return made


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (1.5, "1.5"),
        (b"\xff", "b'\\xff'"),
        ({("a", 1): 2}, "{('a', 1): 2}"),
        (circle(), "[[...]]"),
        ({1}, "{1}"),
        (True, True),
        (None, "None"),
        (2**70, 2**70),
    ],
)
def test_a_field_that_is_not_json_is_written_as_text(lines: Lines, value: Any, written: Any) -> None:
    """Any value that another library adds to a record is written, and the line is never lost."""
    logging.getLogger("other").warning("x", extra={"field": value})
    assert lines() == [{"severity": "WARNING", "message": "x", "field": written}]


@pytest.mark.parametrize(
    ("message", "arguments", "extra"),
    [
        ("%d", ("x",), {}),
        ("%s %s", ("x",), {}),
        ("%s", (Unprintable(),), {}),
        ("x", (), {"field": Unprintable()}),
    ],
)
def test_an_unwritable_record_says_where_it_is_from(
    lines: Lines, message: str, arguments: tuple[Any, ...], extra: dict[str, Any]
) -> None:
    """A mistake in a log call does not fail the request, and is visible."""
    logs.setup()  # the test runner has added a handler that would raise the error
    logging.getLogger("other").error(message, *arguments, extra=extra)
    [line] = lines()
    assert line["severity"] == "ERROR"
    assert "test_logs.py:" in line["message"]
    assert "cannot be written" in line["message"]


def test_an_error_that_cannot_be_printed_still_makes_a_line(lines: Lines) -> None:
    """An exception that cannot be printed is named by its class."""

    class OddError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    log.error("x", exc_info=OddError())
    [line] = lines()
    assert "OddError" in line["message"]
