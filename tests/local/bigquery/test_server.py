"""The process of the local BigQuery."""

from pathlib import Path

import pytest

from local.bigquery import server
from local.processes import NotReady


def test_a_missing_bigquery_names_its_setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the local BigQuery the error names the command that installs it."""
    monkeypatch.setattr(server, "VENV", tmp_path)
    with pytest.raises(NotReady, match=r"run local/setup\.sh bigquery$"):
        server.bigquery_server(tmp_path, 9050, "local-dev")
