"""The rules of the house, each one executable."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("ingest", "notify_slack", "stream_bq")
PRODUCT = sorted(path for top in ("functions", "clients", "pipeline") for path in (ROOT / top).rglob("*.py"))
EDGES = {"main.py", "webhook_secrets.py", "table.py"}
NETWORK = (
    "socket",
    "ssl",
    "http.client",
    "urllib.request",
    "requests",
    "urllib3",
    "grpc",
    "google",
    "slack_sdk",
)
WORKBENCHES = {"ops", "local", "bench", "tests"}
MOST_LINES = 250


def name_of(path: Path) -> str:
    """Return what the test's id shows."""
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (dots, module) of every import, also of those inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "google.cloud":
            yield from ((0, f"google.cloud.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or ""


def test_the_rules_see_the_product() -> None:
    """The rules below look at every module of the three functions and of the pipeline."""
    assert {path.relative_to(ROOT).parts[0] for path in PRODUCT} == {"functions", "clients", "pipeline"}
    assert {path.relative_to(ROOT).parts[1] for path in PRODUCT} >= set(ROOMS)


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_function_imports_its_room_and_the_hallway_only(path: Path) -> None:
    """A function never imports another function, and nothing of the product imports a workbench."""
    for dots, module in imports(path):
        top = module.split(".")[0]
        assert dots <= len(path.relative_to(ROOT).parts) - 2, f"{module} reaches out of the room"
        if dots == 0:
            assert top not in WORKBENCHES | {"functions"}, f"{module} is not for the product"


@pytest.mark.parametrize("path", sorted((ROOT / "pipeline").glob("*.py")), ids=name_of)
def test_pipeline_needs_the_standard_library_only(path: Path) -> None:
    """The pipeline package can be put beside any function: it needs nothing installed."""
    for dots, module in imports(path):
        assert dots == 0, "inside pipeline, imports are absolute"
        assert module.split(".")[0] in sys.stdlib_module_names | {"pipeline"}, module


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_the_world_is_touched_at_the_edges_only(path: Path) -> None:
    """Only main.py and the named edge modules import anything that can reach the network."""
    if path.name in EDGES or path.is_relative_to(ROOT / "clients"):
        return
    for _, module in imports(path):
        reaches = any(module == name or module.startswith(name + ".") for name in NETWORK)
        assert not reaches, f"{module} belongs into an edge module"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_no_error_is_swallowed(path: Path) -> None:
    """A handler that catches everything raises again; there is no bare except."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except in line {node.lineno}"
            broad = {"Exception", "BaseException"} & {
                name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)
            }
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            assert raises or not broad, f"line {node.lineno} swallows everything"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_module_has_one_purpose(path: Path) -> None:
    """A module of the product stays under 250 lines and says in its first line what it is for."""
    text = path.read_text()
    assert text.count("\n") < MOST_LINES
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_function_touches_nothing(room: str) -> None:
    """Before the server forks no thread is started and no connection opened: a thread would hang it."""
    program = (
        "import sys, threading\n"
        "def hook(name, arguments):\n"
        "    if name in ('socket.connect', 'socket.getaddrinfo'): sys.exit(f'{name} {arguments}')\n"
        "sys.addaudithook(hook)\n"
        f"import functions.{room}.main\n"
        "sys.exit(', '.join(t.name for t in threading.enumerate()[1:]) or 0)\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (outcome.returncode, outcome.stderr) == (0, "")


@pytest.mark.parametrize("room", ROOMS)
def test_a_function_imports_what_it_has_pinned(room: str) -> None:
    """Every package that a function imports is one that its own requirements name, or that comes with one."""
    provides = {
        "functions_framework": "functions-framework",
        "flask": "functions-framework",
        "cloudevents": "functions-framework",
        "google.cloud.bigquery": "google-cloud-bigquery",
        "google.api_core": "google-cloud-",
        "google.auth": "google-cloud-",
        "requests": "google-cloud-bigquery",
        "google.cloud.secretmanager_v1": "google-cloud-secret-manager",
        "google.pubsub_v1": "google-cloud-pubsub",
        "grpc": "google-cloud-",
        "slack_sdk": "slack-sdk",
        "markdown_it": "markdown-it-py",
    }
    named = (ROOT / "functions" / room / "requirements.in").read_text().split()
    for path in (ROOT / "functions" / room).rglob("*.py"):
        for dots, module in imports(path):
            if dots or module.split(".")[0] in sys.stdlib_module_names | {"pipeline", "clients"}:
                continue
            package = next(
                (
                    package
                    for name, package in provides.items()
                    if module == name or module.startswith(name + ".")
                ),
                "nothing",
            )
            assert any(entry.startswith(package) for entry in named), f"{module} is not in requirements.in"


def test_every_ignored_lint_rule_has_its_reason() -> None:
    """No rule of the linter is switched off without a reason beside it."""
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
