"""The bench measures a function with the environment that it is deployed with, of any checkout."""

import subprocess
from pathlib import Path

import pytest

from bench.checkout import Checkout, CheckoutError, other_checkout, parse_environment
from tests.support.checkout import FUNCTIONS, ROOT, make_checkout


def worktrees() -> str:
    """Return git's list of checkouts."""
    return subprocess.run(
        ["git", "worktree", "list", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_an_environment_is_read() -> None:
    """A value may contain an equals sign and a line break."""
    assert parse_environment("A=1\0B=x=y\nz\0") == {"A": "1", "B": "x=y\nz"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_changed_deployment_is_measured(function: str, tmp_path: Path) -> None:
    """What a function's table sets is in its environment."""
    folder = make_checkout(tmp_path)
    with (folder / f"deploy/functions/{function}.sh").open("a") as table:
        table.write("\nENVIRONMENT+=(BENCH_PROBE='a b')\n")
    environment = Checkout(name="it", folder=folder).deployed_environment(function)
    assert environment["BENCH_PROBE"] == "a b"
    assert len(environment) > 1


def test_a_broken_table_is_reported(tmp_path: Path) -> None:
    """A table that cannot be read is an error that names it."""
    folder = make_checkout(tmp_path)
    (folder / "deploy/functions/ingest.sh").write_text("exit 3\n")
    with pytest.raises(CheckoutError, match=r"ingest\.sh of it"):
        Checkout(name="it", folder=folder).deployed_environment("ingest")


def test_a_ref_is_checked_out_and_removed(tmp_path: Path) -> None:
    """A git ref becomes a checkout of its own for the time of the run, and nothing of it is left."""
    before = worktrees()
    with other_checkout("HEAD", tmp_path) as checkout:
        assert (checkout.folder / "functions/ingest/main.py").exists()
        assert str(checkout.folder) in worktrees()
    assert worktrees() == before


def test_an_unknown_ref_is_refused(tmp_path: Path) -> None:
    """What is neither a folder nor a ref is an error."""
    with pytest.raises(CheckoutError, match="no-such-ref"), other_checkout("no-such-ref", tmp_path):
        pytest.fail("there is no checkout")


def test_a_folder_is_used_as_it_is(tmp_path: Path) -> None:
    """A folder is measured where it is, and stays."""
    with other_checkout(str(tmp_path), tmp_path) as checkout:
        assert checkout.folder == tmp_path
    assert tmp_path.exists()
