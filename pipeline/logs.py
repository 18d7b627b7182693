"""One JSON line per log record, as Cloud Logging reads it, with the fields of the current request.

Fields: https://cloud.google.com/logging/docs/structured-logging#special-payload-fields
"""

import json
import logging
import re
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from pipeline.errors import Busy, PipelineError

log = logging.getLogger("issuewire")

_context: ContextVar[Mapping[str, Any]] = ContextVar("issuewire_log_context", default=MappingProxyType({}))
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_UNWRITABLE = (AttributeError, LookupError, RuntimeError, TypeError, ValueError)  # of formatting and str()
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def setup() -> None:
    """Write every record of this process as one JSON line: ours from INFO, others' from WARNING.

    `force` is needed because with LOG_EXECUTION_ID=true the framework has added its own handler to the root.
    """
    handler = _StandardOutput()
    handler.setFormatter(_JsonLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(logging.INFO)
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False
    logging.captureWarnings(capture=True)
    # No line names them, so no record needs to find them out.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]


def start_request(**fields: Any) -> None:
    """Replace the last request's fields with these.

    They stay until the next request starts on this thread or task: the framework logs an uncaught error after
    the function has returned, and that line needs them too.
    """
    if log.disabled:  # with LOG_EXECUTION_ID=true, the framework sets up its own logging for async functions
        setup()
    _context.set(_with_trace(fields))


def bind(**fields: Any) -> None:
    """Add fields to the remaining lines of this request."""
    _context.set(_with_trace({**_context.get(), **fields}))


def trace_id(traceparent: object) -> str | None:
    """Return the trace id of a W3C traceparent, or None if the value is not one."""
    match = _TRACEPARENT.fullmatch(traceparent) if isinstance(traceparent, str) else None
    return match[1] if match else None


def _with_trace(fields: dict[str, Any]) -> dict[str, Any]:
    """Replace `traceparent` with `trace`, for people, and the field by which Cloud Logging joins lines."""
    trace = trace_id(fields.get("traceparent"))
    kept = {name: value for name, value in fields.items() if name != "traceparent" and value is not None}
    return {**kept, "trace": trace, "logging.googleapis.com/trace": trace} if trace else kept


class _StandardOutput(logging.Handler):
    """Prints: the framework replaces sys.stdout for each request, to add its execution id."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), flush=True)  # noqa: T201 - standard output is where Cloud Logging reads


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return the line. A record of another library that cannot be written must not fail the request."""
        try:
            return json.dumps(self._line(record))
        except _UNWRITABLE as error:
            where = f"{record.pathname}:{record.lineno}"
            message = f"The log line of {where} cannot be written: {type(error).__name__}"
            return json.dumps({"severity": record.levelname, "message": message})

    def _line(self, record: logging.LogRecord) -> dict[str, Any]:
        error = record.exc_info[1] if record.exc_info else None
        message, severity = record.getMessage(), record.levelname
        if isinstance(error, Busy):
            message, severity = f"{message}: {error}", "WARNING"
        elif error is not None:
            message += "\n" + "".join(traceback.format_exception(error))
        reason = {"reason": error.reason} if isinstance(error, PipelineError) else {}
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        fields = {**_context.get(), **reason, **extra}
        return {
            "severity": severity,
            "message": message,
            **{name: value if isinstance(value, str | int) else str(value) for name, value in fields.items()},
        }
