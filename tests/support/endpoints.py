"""The file that a running make serve writes about itself."""

import json
import os
from pathlib import Path
from typing import Any


def endpoints(**values: Any) -> dict[str, Any]:
    """Return the content of endpoints.json; the process that it names is this one."""
    return {
        "ingest_url": "http://127.0.0.1:1/",
        "webhook_secret": "local",
        "pubsub_host": "127.0.0.1:1",
        "bigquery_url": "http://127.0.0.1:1",
        "project": "local-dev",
        "topic": "github-events",
        "dataset": "github",
        "slack_url": "http://127.0.0.1:1/api/",
        "slack_token_file": "slack-token",
        "subscriptions": {"notify-slack": "http://127.0.0.1:1/"},
        "logs": "logs",
        "routes": "routes.toml",
        "pids": {"local": os.getpid()},
        **values,
    }


def write_endpoints(path: Path, **values: Any) -> None:
    """Write the file."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(endpoints(**values)))
