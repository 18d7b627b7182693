"""Reads the cloud: what ./deploy.sh status --cloud prints, and the webhook's secret through gcloud."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops import ROOT, gcloud
from ops.doctor.facts import Part, Secret
from ops.doctor.finding import NotChecked

STATUS_SECONDS = 300.0  # it calls gcloud about fifteen times
DEPLOY = ROOT / "deploy.sh"
_LINE = re.compile(
    r"(ok|BAD|\?|=) +((?:function|schedule|subscription|access|BigQuery) \S+|dead letters|\S+)(?: +(.*))?"
)
_WHY = re.compile(r"^(?:deploy\.sh|ERROR): *(.+)$", re.MULTILINE)
_FIX = re.compile(r"(.*); ((?:\./deploy\.sh|gcloud) .*?)(?: says what to do| serves the newest again)?")
_DEFAULT_FIXES = {
    "dead letters": "./issuewire dead-letters list",
    "subscription": "./issuewire dead-letters list",
}
_REPORTED = (0, 1)  # 1: status found a problem, or it could not go on; what it has printed counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """What `status` printed: its settings by name, and the facts."""

    settings: Mapping[str, str]
    facts: tuple[object, ...]


def read_cloud() -> Cloud:
    """Return what ./deploy.sh status says; if it does not run to its end, a NotChecked says why."""
    try:
        _, printed, problems = gcloud.run([str(DEPLOY), "status", "--cloud"], STATUS_SECONDS)
    except gcloud.NotRead as error:
        printed, problems = "", f"deploy.sh: {error}"
    return parse(printed, problems)


def parse(printed: str, problems: str = "") -> Cloud:
    """Read the lines of status; it prints `complete yes` at its end."""
    settings: dict[str, str] = {}
    facts: list[object] = []
    for line in printed.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        verdict, name, text = match[1], match[2], (match[3] or "").strip()
        if verdict == "=":
            settings[name] = text
        elif verdict == "?":
            why = text.removeprefix("not checked, because ")
            facts.append(NotChecked(what=name, why=why, fix="gcloud auth login"))
        else:
            facts.append(_part(name, text if verdict == "BAD" else None, settings.get("topic", "")))
    if settings.get("complete") != "yes":
        why = next(iter(_WHY.findall(problems)), "./deploy.sh status did not run to its end")
        facts.append(NotChecked(what="the cloud", why=why, fix="./deploy.sh check"))
    return Cloud(settings=settings, facts=tuple(facts))


def read_secret(project: str, name: str, sources: Sequence[str]) -> Secret | NotChecked:
    """Return the versions of the webhook's secret; of its value, only whether it is clean."""
    try:
        versions = read_versions(project, name)
        value = _access(project, name, versions[0]) if versions else "x"
    except gcloud.NotRead as error:
        return NotChecked(what=f"the secret {name}", why=str(error), fix="gcloud auth login")
    return Secret(name=name, versions=versions, is_unclean=value != value.strip(), sources=tuple(sources))


def read_newest(project: str, name: str) -> str | NotChecked:
    """Return the newest enabled version of a secret, empty if there is none."""
    try:
        versions = read_versions(project, name)
        return _access(project, name, versions[0]).strip() if versions else ""
    except gcloud.NotRead as error:
        return NotChecked(what=f"the secret {name}", why=str(error), fix="gcloud auth login")


def read_versions(project: str, name: str) -> tuple[int, ...]:
    """Return the numbers of the enabled versions, newest first. Raises NotRead."""
    options = ["--filter=state=ENABLED", "--format=value(name.basename())"]
    printed = gcloud.read(project, ["secrets", "versions", "list", name], options)
    return tuple(sorted((int(line) for line in printed.split() if line.isdecimal()), reverse=True))


def _access(project: str, name: str, version: int) -> str:
    return gcloud.read(project, ["secrets", "versions", "access", str(version)], [f"--secret={name}"])


def _part(name: str, problem: str | None, topic: str) -> Part:
    if problem is None:
        return Part(name=name, problem=None, fix="")
    match = _FIX.fullmatch(problem)
    if match is not None:
        return Part(name=name, problem=match[1], fix=match[2])
    kind, _, service = name.partition(" ")
    fix = "./deploy.sh status"
    if name == "dead letters":
        fix = f"PUBSUB_TOPIC={topic} ./issuewire dead-letters list"
    elif kind == "subscription":
        wanted = f'resource.labels.service_name="{service}" severity>=ERROR'
        fix = f"gcloud logging read {shlex.quote(wanted)} --limit=5"
    return Part(name=name, problem=problem.partition("; see")[0], fix=fix)
