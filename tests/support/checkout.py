"""A copy of the files that deploy.sh reads, and the staging of deploy.sh in it."""

import functools
import os
import stat
import subprocess
import sys
from pathlib import Path

__all__ = ["CHANNEL", "FUNCTIONS", "ROOT", "make_checkout", "read_table", "run_bash", "stage", "staged_hash"]

ROOT = Path(__file__).parents[2]
CHANNEL = "C0ROUTED001"  # of the routes in a copy
FUNCTIONS = sorted(path.stem for path in (ROOT / "deploy/functions").glob("*.sh"))
_FOLDERS = ("clients", "config", "deploy", "functions", "metrics", "ops", "pipeline", "sql")


def make_checkout(folder: Path) -> Path:
    """Copy deploy.sh and the files that it reads into `folder`/checkout; return that folder."""
    copy = folder / "checkout"
    copy.mkdir(parents=True)
    for name in {os.path.dirname(name) for name in _files()}:  # noqa: PTH120 - these are texts
        (copy / name).mkdir(parents=True, exist_ok=True)
    for name, (content, mode) in _files().items():  # pathlib takes three times as long
        file = os.open(f"{copy}/{name}", os.O_WRONLY | os.O_CREAT, mode)
        os.write(file, content)
        os.close(file)
    routes = copy / "config/routes.toml"
    routes.write_text(routes.read_text().replace("C0123456789", CHANNEL))  # which a deployment refuses
    return copy


@functools.cache
def _files() -> dict[str, tuple[bytes, int]]:
    """Return content and mode of each file by its path; hundreds of tests make a copy."""
    found = [ROOT / "deploy.sh", *(path for name in _FOLDERS for path in (ROOT / name).rglob("*"))]
    files = [path for path in found if path.is_file() and "__pycache__" not in path.parts]
    return {
        str(path.relative_to(ROOT)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) for path in files
    }


def run_bash(checkout: Path, script: str, *arguments: str, **settings: str) -> str:
    """Run a bash script with the functions of deploy.sh in scope; return its stdout."""
    parts = (
        "set -Eeuo pipefail; for part in common settings tables staging; do source deploy/$part.sh; done; "
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # deploy.sh needs our Python
    done = subprocess.run(
        ["bash", "-c", f"{parts}read_settings; {script}", "bash", *arguments],
        cwd=checkout,
        env=os.environ | {"PATH": path, "PROJECT": "acme-issues", "GITHUB_SOURCES": "acme/app"} | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def stage(checkout: Path, name: str, folder: Path) -> Path:
    """Write exactly the files that deploy.sh uploads for a function into a folder; return the folder."""
    run_bash(checkout, 'stage "$1" "$2"', name, str(folder))
    return folder


def staged_hash(checkout: Path, name: str, folder: Path, **settings: str) -> str:
    """Stage a function into a folder; return the source hash of the deployment."""
    script = 'stage "$1" "$2"; set_deploy_flags "$1"; python3 deploy/source_hash.py "$2" "${DEPLOY_FLAGS[@]}"'
    return run_bash(checkout, script, name, str(folder), **settings).strip()


def read_table(checkout: Path, name: str, variable: str) -> list[str]:
    """Return the values of an array in deploy/functions/`name`.sh."""
    script = f'load_table "$1"; for value in "${{{variable}[@]}}"; do printf "%s\\0" "$value"; done'
    return run_bash(checkout, script, name).split("\0")[:-1]
