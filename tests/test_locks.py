"""The lock files have exactly what the hand-written requirements need, pinned and hashed."""

import ast
import functools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / "requirements-dev.in"
RUNTIME = ROOT / "requirements.in"
BIGQUERY = ROOT / "local" / "bigquery" / "requirements.in"
UV = ROOT / "local" / "uv" / "requirements.in"
FUNCTIONS = sorted(ROOT.glob("functions/*/requirements.in"))
ENVIRONMENTS = {BIGQUERY: ".venv-bigquery", UV: ".venv-uv"}
SOURCES = [DEV, RUNTIME, BIGQUERY, UV, *FUNCTIONS]
SHIPPED = ("functions", "clients", "metrics", "pipeline", "ops", "local", "bench")

every_source = pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
every_part_of_dev = pytest.mark.parametrize(
    "source", [RUNTIME, *FUNCTIONS], ids=lambda path: str(path.relative_to(ROOT))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One locked distribution."""

    requirement: Requirement
    hashes: frozenset[str]

    @property
    def version(self) -> str:
        """The pinned version; the specifier is one `==`."""
        return str(self.requirement.specifier).removeprefix("==")


def read_lock(lock: Path) -> dict[str, Pin]:
    """Return the pins of a lock file by canonical name."""
    logical_lines = lock.read_text().replace("\\\n", " ").splitlines()
    pins: dict[str, Pin] = {}
    for line in logical_lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        text, *hashes = line.split(" --hash=")
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        assert name not in pins, f"{lock}: {name} is pinned twice"
        pins[name] = Pin(requirement=requirement, hashes=frozenset(entry.strip() for entry in hashes))
    return pins


def read_source(source: Path) -> list[Requirement]:
    """Return the requirements of an .in file and those that it names; the runtime has every function's."""
    requirements = [each for part in FUNCTIONS for each in read_source(part)] if source == RUNTIME else []
    for raw in source.read_text().splitlines():
        line = raw.partition("#")[0].strip()
        if line.startswith("-r "):
            requirements += read_source(source.parent / line.removeprefix("-r "))
        elif line:
            requirements.append(Requirement(line))
    return requirements


def applies(requirement: Requirement, extra: str = "") -> bool:
    """Return whether the requirement's marker holds on this platform."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def site_packages(source: Path) -> list[str]:
    """Return the folder in which the source's requirements are installed."""
    if source not in ENVIRONMENTS:
        return sys.path
    folder = ROOT / ENVIRONMENTS[source] / "lib" / "python3.13" / "site-packages"
    assert folder.is_dir(), "run make setup first"
    return [str(folder)]


def closure(requirements: list[Requirement], path: list[str]) -> dict[str, str]:
    """Return what the requirements need on this platform: name and installed version of each distribution."""
    versions: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()

    def wanted(requirement: Requirement) -> Iterator[tuple[str, str]]:
        name = canonicalize_name(requirement.name)
        yield from ((name, extra) for extra in ("", *requirement.extras))

    waiting = [pair for requirement in requirements for pair in wanted(requirement)]
    while waiting:
        pair = waiting.pop()
        if pair in seen:
            continue
        seen.add(pair)
        name, extra = pair
        distribution = next(iter(metadata.distributions(name=name, path=path)), None)
        assert distribution is not None, f"{name} is not installed; run make test, or make lock first"
        versions[name] = distribution.version
        for text in distribution.requires or ():
            requirement = Requirement(text)
            if applies(requirement, extra):
                waiting += wanted(requirement)
    return versions


packages_distributions = functools.cache(metadata.packages_distributions)


def imported_modules(path: Path) -> set[str]:
    """Return the top-level names of what a Python file imports, wherever the statement is."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in names}


@every_source
def test_every_requirement_is_met_by_a_pin(source: Path) -> None:
    """Every requirement of a requirements.in is met by a pin of its lock file."""
    pins = read_lock(source.with_suffix(".txt"))
    requirements = read_source(source)
    assert requirements
    for requirement in requirements:
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement} has no pin; run make lock"
        assert requirement.specifier.contains(pin.version, prereleases=True), f"{requirement}: {pin.version}"


@pytest.mark.slow
@every_source
def test_a_lock_has_the_whole_closure_and_nothing_else(source: Path) -> None:
    """A lock file has all packages that are needed and no others, in the versions that the tests use."""
    pins = read_lock(source.with_suffix(".txt"))
    locked = {name: pin.version for name, pin in pins.items() if applies(pin.requirement)}
    assert locked == closure(read_source(source), site_packages(source)), "run make lock, then make test"


@every_source
def test_every_pin_is_exact_and_hashed(source: Path) -> None:
    """A lock file pins each distribution to one version and to the hashes of its files."""
    pins = read_lock(source.with_suffix(".txt"))
    assert pins
    for name, pin in pins.items():
        specifiers = list(pin.requirement.specifier)
        assert [specifier.operator for specifier in specifiers] == ["=="], name
        assert "*" not in pin.version, name
        assert pin.hashes, f"{name} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", entry) for entry in pin.hashes), name


@every_source
def test_a_lock_names_no_location(source: Path) -> None:
    """A lock file works on every machine: it names no URL, no index and no folder."""
    text = source.with_suffix(".txt").read_text()
    for place in ("://", "index-url", "find-links", "file:", "~/"):
        assert place not in text
    assert re.findall(r"""(?m)(?:^|[\s"'=@:(])(/\S+)""", text) == []


@every_part_of_dev
def test_the_tests_run_what_is_shipped(source: Path) -> None:
    """The pins of the runtime and of the functions are those of requirements-dev.txt."""
    dev = read_lock(DEV.with_suffix(".txt"))
    for name, pin in read_lock(source.with_suffix(".txt")).items():
        assert name in dev, f"{name} is not in requirements-dev.txt; run make lock"
        assert (pin.version, pin.hashes) == (dev[name].version, dev[name].hashes), name


@pytest.mark.slow
@pytest.mark.parametrize("package", SHIPPED)
def test_the_runtime_has_every_import(package: str) -> None:
    """The demo and the operator's commands import no package that only tests and checks have."""
    locked = set(read_lock(RUNTIME.with_suffix(".txt")))
    provided_by = packages_distributions()
    for path in (ROOT / package).rglob("*.py"):
        for module in imported_modules(path):
            providers = {canonicalize_name(name) for name in provided_by.get(module, ())}
            assert not providers or providers & locked, f"{path} imports {module}"


def test_there_are_functions() -> None:
    """At least three functions have requirements."""
    assert {"ingest", "notify_slack", "stream_bq"} <= {source.parent.name for source in FUNCTIONS}
