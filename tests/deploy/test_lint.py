"""deploy.sh and its parts are clean, and every gcloud command that people are shown is one that it knows."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.checkout import ROOT
from tests.deploy.shims import Shims

SCRIPTS = [ROOT / "deploy.sh", *sorted((ROOT / "deploy").glob("*.sh"))]
PAGES = [ROOT / "README.md", ROOT / "docs/operations.md"]
COMMANDS = ("all", "secrets", "secrets rotate acme/app", "rollback ingest", "destroy --data")


@pytest.mark.parametrize(
    "command", [["shellcheck", "--external-sources"], ["shfmt", "--diff", "--indent=2", "--case-indent"]]
)
def test_the_scripts_are_clean(command):
    """Shellcheck has nothing to say, and shfmt would change nothing."""
    tool = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [tool, *command[1:], *SCRIPTS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_scripts_stop_at_errors():
    """Strict mode is on before anything is read, and nothing is evaluated."""
    lines = (ROOT / "deploy.sh").read_text().splitlines()
    assert lines[2] == "set -Eeuo pipefail"
    assert "inherit_errexit" in "\n".join(lines[:12])
    for script in SCRIPTS:
        assert not re.search(r"(^|[;&|] *)eval\b", script.read_text(), re.MULTILINE)


def calling():
    """Return the functions that call the cloud, or others that do, but for two that tell by status."""
    text = "\n".join(file.read_text() for file in SCRIPTS)
    bodies = dict(re.findall(r"^(\w+)\(\) \{(.*?)(?:^| )\}$", text, re.DOTALL | re.MULTILINE))
    found = {"change", "feed", "ask", "call"}
    while (
        more := {name for name, body in bodies.items() if re.search(rf"\b({'|'.join(found)})\b", body)}
        - found
    ):
        found |= more
    return found - {"ask", "call"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_errors_are_not_switched_off(script):
    """What calls the cloud is in no condition and not before && or ||, where bash goes on."""
    names = "|".join(calling())
    assert "deploy_function" in names
    for line in script.read_text().splitlines():
        code = line.partition(" # ")[0]
        assert not re.search(rf"\b(if|while|until|!) +({names})\b", code), line
        assert not re.search(rf"(^|[;{{(]|&&|\|\|) *({names})\b[^;]*(&&|\|\|)", code), line
        assert not re.search(rf"\[\[ [^]]*\$\(({names})\b", code), line
        assert not re.search(r"(local|declare|export|readonly) [^;]*=\"?\$\((?!\()", code), line


def test_every_call_of_the_cloud_is_bounded():
    """The cloud's tools stand only behind `change`, `feed` and `ask`, which limit their time."""
    calls = 0
    for script in SCRIPTS:
        for line in script.read_text().splitlines():
            code = re.sub(r"\$?'[^']*'|\"[^\"]*\"", "TEXT", line.partition("# ")[0])
            for before in re.findall(
                r"(.*?)\b(?:gcloud|bq) (?=-|[a-z])", code.replace("tools+=(gcloud bq curl)", "")
            ):
                assert re.search(r"(change|feed TEXT|ask \S+) $", before), line
                calls += 1
    assert calls > 40


def test_the_shown_commands_are_known_to_gcloud(tmp_path):
    """What a dry run, README and the operations guide show passes gcloud's own linter."""
    if not shutil.which("gcloud"):
        if os.environ.get("CI") == "true":
            pytest.fail("gcloud is missing, and CI must run this test")
        pytest.skip("gcloud is not installed")
    world = Shims(tmp_path)
    shown = [line for command in COMMANDS for line in world.run(f"{command} --dry-run").out.splitlines()]
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"^```(?:sh)?\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    ]
    shown += [line for block in blocks for line in re.sub(r"\\\n *", "", block).splitlines()]
    # One of each kind: the same command with the same flags is as right as its sister.
    kinds = {}
    for line in shown:
        if line.startswith("gcloud "):
            words = shlex.split(line, comments=True)
            kinds[tuple(word.partition("=")[0] for word in words if word[0] == "-"), *words[1:4]] = line
    file = tmp_path / "commands.json"
    file.write_text(json.dumps([{"command_string": line} for line in kinds.values()]))
    done = subprocess.run(
        ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={file}"],
        env=os.environ | {"CLOUDSDK_CONFIG": str(tmp_path / "config")},
        capture_output=True,
        text=True,
        check=False,
    )
    if "Invalid choice" in done.stderr:
        pytest.skip("this gcloud has no linter")
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert len(results) == len(kinds) > 20
    assert [result["command_string"] for result in results if not result["success"]] == []
