"""The demo's digest: its team, and what is printed of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.demo import digest
from local.processes import NotReady
from local.stack.options import Options
from local.stack.stack import Stack
from ops import schema
from pipeline.team import Team

ROUTES = '[[route]]\nname = "all"\nchannels = ["C9876543210"]\n'


def test_the_demo_starts_digest_with_a_team_of_its_own(tmp_path: Path) -> None:
    """Digest is started with few views, and posts into the first channel of the routes that the demo uses."""
    (tmp_path / "routes.toml").write_text(ROUTES)
    options = digest.prepare(Options(routes=tmp_path / "routes.toml", state=tmp_path / "state"))
    assert options.scheduled == {"digest"}
    assert options.views is not None
    assert options.views < {path.stem for path in schema.files()}
    team = Team.read(options.environment, tmp_path)
    assert team.logins == ("mona",)
    assert team.digest is not None
    assert list(team.digest.channels) == ["C9876543210"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A state folder that is a file ends the demo with one line."""
    (tmp_path / "state").touch()
    with pytest.raises(NotReady, match="state cannot be written"):
        digest.prepare(Options(state=tmp_path / "state"))


def test_a_digest_that_fails_is_named(tmp_path: Path) -> None:
    """If digest does not answer, the demo says where its log is."""
    stack: Any = SimpleNamespace(url=lambda _: "http://127.0.0.1:9", folder=tmp_path)
    with pytest.raises(NotReady, match="its log is in"):
        digest.post(cast("Stack", stack))
