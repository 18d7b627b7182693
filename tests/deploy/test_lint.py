"""deploy.sh and its parts pass their linters, and gcloud knows every command that we document."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.documents import commands

SCRIPTS = [ROOT / "deploy.sh", *sorted((ROOT / "deploy").rglob("*.sh"))]
TABLES = sorted((ROOT / "deploy/functions").glob("*.sh"))
PAGES = [ROOT / "README.md", ROOT / "docs/operations.md"]


@pytest.mark.parametrize(
    ("command", "scripts"),
    [
        (["shellcheck", "--external-sources", "--check-sourced"], [SCRIPTS[0], *TABLES]),
        (["shfmt", "--diff", "--indent=2", "--case-indent"], SCRIPTS),
    ],
    ids=["shellcheck", "shfmt"],
)
def test_the_scripts_are_clean(command, scripts):
    """Shellcheck reports nothing, and shfmt would change nothing; deploy.sh reads every part."""
    text = SCRIPTS[0].read_text()
    assert all(f"\nsource deploy/{part.name}\n" in text for part in (ROOT / "deploy").glob("*.sh"))
    tool = Path(sys.executable).with_name(command[0])
    outcome = subprocess.run(
        [tool, *command[1:], *scripts], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (outcome.returncode, outcome.stdout) == (0, ""), outcome.stderr


def test_the_scripts_stop_at_errors():
    """Strict mode is on before anything is read, and nothing is evaluated."""
    lines = (ROOT / "deploy.sh").read_text().splitlines()
    assert lines[2] == "set -Eeuo pipefail"
    assert "inherit_errexit" in "\n".join(lines[:12])
    for script in SCRIPTS:
        assert not re.search(r"(^|[;&|] *)eval\b", script.read_text(), re.MULTILINE)


def calling():
    """Return the functions that call the cloud, directly or not; the status of `query` may be an answer."""
    text = "\n".join(file.read_text() for file in SCRIPTS)
    bodies = dict(re.findall(r"^(\w+)\(\) \{(.*?)(?:^| )\}$", text, re.DOTALL | re.MULTILINE))
    found = {"mutate", "mutate_with_stdin", "query", "call_api"}
    while (
        more := {name for name, body in bodies.items() if re.search(rf"\b({'|'.join(found)})\b", body)}
        - found
    ):
        found |= more
    return found - {"query"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_errors_are_not_switched_off(script):
    """Bash ignores errors in conditions and before && or ||, so no call of the cloud is there."""
    names = "|".join(calling())
    assert "build_function" in names
    for line in script.read_text().splitlines():
        code = line.partition(" # ")[0]
        assert not re.search(rf"\b(if|while|until|!) +({names})\b", code), line
        assert not re.search(rf"(^|[;{{(]|&&|\|\|) *({names})\b[^;]*(&&|\|\|)", code), line
        assert not re.search(rf"\[\[ [^]]*\$\(({names})\b", code), line
        assert not re.search(r"(local|declare|export|readonly) [^;]*=\"?\$\((?!\()", code), line


def test_every_call_of_the_cloud_is_bounded():
    """The tools are called only through functions that limit their time."""
    calls = 0
    for script in SCRIPTS:
        for line in script.read_text().splitlines():
            code = re.sub(r"\$?'[^']*'|\"[^\"]*\"", "TEXT", line.partition("# ")[0])
            for before in re.findall(
                r"(.*?)\b(?:gcloud|bq) (?=-|[a-z])", code.replace("tools+=(gcloud bq curl)", "")
            ):
                assert re.search(r"(mutate|mutate_with_stdin TEXT|query \S+|query_list) $", before), line
                calls += 1
    assert calls > 40


def test_gcloud_knows_the_documented_commands(tmp_path):
    """The commands in README and the operations guide pass gcloud's linter; gcloud runs deploy.sh's."""
    if not shutil.which("gcloud"):
        if os.environ.get("CI") == "true":
            pytest.fail("gcloud is missing, and CI must run this test")
        pytest.skip("gcloud is not installed")
    shown = [
        shlex.join(words) for page in PAGES for words in commands(page.read_text()) if words[0] == "gcloud"
    ]
    # One command of each kind: two with the same flags differ only in their values.
    kinds = {}
    for line in shown:
        words = shlex.split(line, comments=True)
        kinds[tuple(word.partition("=")[0] for word in words if word[0] == "-"), *words[1:4]] = line
    file = tmp_path / "commands.json"
    file.write_text(json.dumps([{"command_string": line} for line in kinds.values()]))
    outcome = subprocess.run(
        ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={file}"],
        env=os.environ | {"CLOUDSDK_CONFIG": str(tmp_path / "config")},
        capture_output=True,
        text=True,
        check=False,
    )
    if "Invalid choice" in outcome.stderr:
        pytest.skip("this gcloud has no linter")
    assert outcome.returncode == 0, outcome.stderr
    results = json.loads(outcome.stdout)
    assert len(results) == len(kinds) > 5
    assert [result["command_string"] for result in results if not result["success"]] == []
