"""The rules of the architecture. Contracts in pyproject.toml define the direction of imports."""

import ast
import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import FUNCTIONS, ROOT

LAYERS = ("bench", "local", "ops", "functions", "clients", "metrics", "pipeline")
MAX_LINES = 250

# Modules that take values and return values: no input or output, no clock, no randomness, no thread.
PURE = (
    "clients/github/hook_deliveries.py",
    "clients/github/issue_history.py",
    "clients/github/past_event.py",
    "clients/github/responses.py",
    "clients/github/synthetic_deliveries.py",
    "clients/slack/blocks.py",
    "clients/slack/metadata.py",
    "clients/slack/mrkdwn.py",
    "functions/ingest/signature.py",
    "functions/ingest/webhook.py",
    "functions/notify_slack/cards/*.py",
    "functions/notify_slack/routing/*.py",
    "functions/digest/answers.py",
    "functions/digest/entries.py",
    "functions/digest/message.py",
    "functions/digest/phrases.py",
    "functions/reconcile/missed.py",
    "functions/reconcile/plan.py",
    "functions/reconcile/problems.py",
    "functions/stream_bq/row.py",
    "functions/triage/issue_view.py",
    "functions/triage/marker.py",
    "functions/triage/outcome.py",
    "functions/triage/rules.py",
    "functions/triage/validation.py",
    "metrics/*.py",
    "ops/doctor/checks/*.py",
    "ops/doctor/facts.py",
    "ops/doctor/finding.py",
    "pipeline/accounts.py",
    "pipeline/conditions.py",
    "pipeline/delivery.py",
    "pipeline/errors.py",
    "pipeline/events.py",
    "pipeline/file_rules.py",
    "pipeline/json_fields.py",
    "pipeline/line_numbers.py",
    "pipeline/repository_name.py",
    "pipeline/people.py",
    "pipeline/targets.py",
    "pipeline/team_values.py",
    "pipeline/working_hours.py",
)
NETWORK = {
    "google",
    "grpc",
    "http.client",
    "requests",
    "slack_sdk",
    "socket",
    "ssl",
    "urllib.request",
    "urllib3",
}
IMPURE = NETWORK | {
    "asyncio",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "sqlite3",
    "subprocess",
}
IMPURE |= {"sys", "tempfile", "threading", "time"}
IMPURE_CALLS = {"input", "now", "open", "print", "today"}
# The modules of a function that may reach the network; everything else that does is in clients.
EDGES = {"ledger.py", "main.py", "table.py", "webhook_secrets.py"}

# Which package provides a module, if their names differ.
PROVIDERS = {
    "cloudevents": "functions-framework",
    "flask": "functions-framework",
    "functions_framework": "functions-framework",
    "google.api_core": "google-cloud-",
    "google.auth": "google-cloud-",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.secretmanager_v1": "google-cloud-secret-manager",
    "google.pubsub_v1": "google-cloud-pubsub",
    "grpc": "google-cloud-",
    "jwt": "pyjwt",
    "markdown_it": "markdown-it-py",
    "matplotlib": "matplotlib",
    "requests": "google-cloud-bigquery",
    "slack_sdk": "slack-sdk",
    "starlette": "functions-framework",
}


def modules(*packages: str) -> list[Path]:
    """Return every module of the packages."""
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    """Return the path as the test's id shows it."""
    return path.relative_to(ROOT).as_posix()


@functools.cache
def imports(path: Path) -> tuple[str, ...]:
    """Return the absolute name of every module that is imported, also inside functions."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            names = [f"{module}.{alias.name}" for alias in node.names]
            yield from (name if file_of(name) or module == "google.cloud" else module for name in names)


def file_of(module: str) -> Path | None:
    """Return the file of one of our own modules, or None."""
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)


def is_among(module: str, names: set[str]) -> bool:
    """Return whether the module or a package that it is in is among the names."""
    return any(module == name or module.startswith(f"{name}.") for name in names)


PURE_MODULES = sorted(path for pattern in PURE for path in ROOT.glob(pattern))
DEPLOYED = modules("functions", "clients", "metrics", "pipeline")
PRODUCT = modules("functions", "clients", "metrics", "pipeline", "ops")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contracts of the checkout in a folder."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [program, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the import contracts and the packages that they cover."""
    folder = tmp_path_factory.mktemp("architecture")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in LAYERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.parametrize(
    ("package", "imported"),
    [
        ("pipeline", "clients"),
        ("pipeline", "metrics"),
        ("metrics", "clients"),
        ("clients", "metrics"),
        ("clients", "functions"),
        ("functions", "ops"),
        ("ops", "local"),
        ("local", "bench"),
        ("functions.ingest", "functions.stream_bq.row"),
        ("clients.slack", "clients.bigquery"),
    ],
)
def test_an_import_in_the_wrong_direction_is_found(copy: Path, package: str, imported: str) -> None:
    """One import upwards, or from function to function or client to client, breaks a contract."""
    module = copy / package.replace(".", "/") / "__init__.py"
    text = module.read_text()
    try:
        module.write_text(f"{text}\n\ndef late() -> None:\n    import {imported}\n")
        outcome = lint_imports(copy)
    finally:
        module.write_text(text)
    assert outcome.returncode == 1
    assert f"{package} -> {imported}" in outcome.stdout


def test_the_contracts_are_kept() -> None:
    """No import points upwards, and functions and clients do not import each other."""
    outcome = lint_imports(ROOT)
    assert outcome.returncode == 0, outcome.stdout


def test_the_rules_cover_all_packages() -> None:
    """Every folder with modules is a layer, except tests and the programs of deploy."""
    folders = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert folders - {"deploy", "tests"} == set(LAYERS)
    assert all(list(ROOT.glob(pattern)) for pattern in PURE)


@pytest.mark.parametrize("path", DEPLOYED, ids=name_of)
def test_a_deployed_module_finds_its_imports(path: Path) -> None:
    """A function imports its own modules relatively, because a deployed folder has no package `functions`."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0 or path.is_relative_to(ROOT / "functions"), "imports here are absolute"
            assert node.level < len(path.relative_to(ROOT).parts) - 1, "reaches out of the function's folder"
            names = [] if node.level else [node.module or ""]
        assert not any(is_among(name, {"functions", "tests"}) for name in names)


@pytest.mark.parametrize("path", modules("pipeline"), ids=name_of)
def test_pipeline_needs_the_standard_library_only(path: Path) -> None:
    """The package pipeline is deployed with every function, so it needs nothing installed."""
    allowed = sys.stdlib_module_names | {"pipeline"}
    assert [module for module in imports(path) if module.split(".")[0] not in allowed] == []


@functools.cache
def pure_names() -> set[str]:
    """Return the pure modules, and the one for the fields of a log line."""
    return {"pipeline/logs.py", *map(name_of, PURE_MODULES)}


@pytest.mark.parametrize("path", PURE_MODULES, ids=name_of)
def test_a_pure_module_has_no_input_or_output(path: Path) -> None:
    """A pure module does no I/O, reads no clock, and imports only pure modules of ours."""
    for module in imports(path):
        assert not is_among(module, IMPURE), f"{module} does I/O"
        file = file_of(module)
        assert file is None or file.name == "__init__.py" or name_of(file) in pure_names(), (
            f"{module} is not pure"
        )
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    called = {getattr(call, "id", None) or getattr(call, "attr", None) for call in calls}
    assert called & IMPURE_CALLS == set()


@pytest.mark.parametrize("path", modules("functions", "pipeline"), ids=name_of)
def test_only_edge_modules_reach_the_network(path: Path) -> None:
    """Only main.py, the named edge modules and the clients import what can reach the network."""
    if path.name not in EDGES:
        assert [module for module in imports(path) if is_among(module, NETWORK)] == []


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_no_error_is_swallowed(path: Path) -> None:
    """A handler that catches every error raises it again, and no `except` is bare."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except in line {node.lineno}"
            names = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            assert raises or not names & {"Exception", "BaseException"}, f"line {node.lineno} swallows errors"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_module_is_short_and_says_its_purpose(path: Path) -> None:
    """A module of the product has at most 250 lines and a docstring."""
    text = path.read_text()
    assert text.count("\n") <= MAX_LINES
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_importing_a_function_touches_nothing(function: str) -> None:
    """An import starts no thread and opens no connection: a thread started before the fork hangs requests."""
    program = (
        "import sys, threading\n"
        "def hook(name, arguments):\n"
        "    if name in ('socket.connect', 'socket.getaddrinfo'): sys.exit(f'{name} {arguments}')\n"
        "sys.addaudithook(hook)\n"
        f"import functions.{function}.main\n"
        "sys.exit(', '.join(t.name for t in threading.enumerate()[1:]) or 0)\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (outcome.returncode, outcome.stderr) == (0, "")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_s_requirements_name_what_it_imports(function: str) -> None:
    """A function's requirements name every package that it, or a client that it uses, imports."""
    required = (ROOT / "functions" / function / "requirements.in").read_text().split()
    waiting, seen = modules(f"functions/{function}"), set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for module in imports(path):
            if file := file_of(module):
                waiting.append(file)
            elif module.split(".")[0] not in sys.stdlib_module_names:
                provider = next((PROVIDERS[name] for name in PROVIDERS if is_among(module, {name})), module)
                assert any(entry.startswith(provider) for entry in required), f"{module} is not required"


def test_every_ignored_lint_rule_has_its_reason() -> None:
    """Every lint rule that is switched off has its reason beside it."""
    text = (ROOT / "pyproject.toml").read_text()
    entries = re.findall(r'^  "[A-Z]+\d*",.*$', text, re.MULTILINE)
    assert entries
    assert [entry for entry in entries if " # " not in entry] == []


def test_every_dependency_has_its_reason() -> None:
    """Each direct dependency has a row in the table of docs/decisions.md."""
    decisions = (ROOT / "docs" / "decisions.md").read_text()
    sources = [*ROOT.glob("requirements*.in"), *ROOT.glob("*/*/requirements.in")]
    lines = [line.split("#")[0].strip() for source in sources for line in source.read_text().splitlines()]
    names = {re.split(r"[=<>~!\[; ]", line)[0] for line in lines if line and not line.startswith("-")}
    assert names
    assert sorted(name for name in names if f"`{name}`" not in decisions) == []
