"""deploy/functions/NAME.sh: a function is staged with the packages that it imports, and with no others."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import FUNCTIONS, ROOT, make_checkout, read_table

# Folders of the repository that a module might import from.
FIRST_PARTY = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.rglob("*.py"))}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Copy what deploy.sh reads."""
    return make_checkout(tmp_path_factory.mktemp("tables"))


def file_of(module: Path) -> Path | None:
    """Return the file of a module, given as a path without suffix; None if there is no such module."""
    candidates = (module.with_name(f"{module.name}.py"), module / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def imported_files(path: Path) -> Iterator[Path]:
    """Yield the files of the repository that a module imports, with the __init__.py of their packages."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules = [ROOT.joinpath(*alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = path.parents[node.level - 1] if node.level else ROOT
            module = start.joinpath(*(node.module or "").split("."))
            modules = [module, *(module / alias.name for alias in node.names)]
        else:
            continue
        for module in modules:
            parents = [parent / "__init__" for parent in module.parents if parent.is_relative_to(ROOT)]
            files = filter(None, map(file_of, [module, *parents]))
            yield from (file for file in files if file.relative_to(ROOT).parts[0] in FIRST_PARTY)


def imports_of(name: str) -> set[Path]:
    """Return all files outside of functions/ that a function's modules import, directly or indirectly."""
    waiting = list((ROOT / "functions" / name).rglob("*.py"))
    seen = set(waiting)
    while waiting:
        found = set(imported_files(waiting.pop())) - seen
        seen |= found
        waiting += found
    return {path.relative_to(ROOT) for path in seen if not path.is_relative_to(ROOT / "functions")}


def covers(package: str, path: Path) -> bool:
    """Return whether a table's package stages a file."""
    is_parent = path.name == "__init__.py" and Path(package).is_relative_to(path.parent)
    return is_parent or path.is_relative_to(package)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_staged_packages_are_those_that_the_function_imports(checkout, name):
    """A missing package would fail only in the cloud; an unused one would cause needless deployments."""
    packages, imported = read_table(checkout, name, "PACKAGES"), imports_of(name)
    assert imported
    assert [path for path in imported if not any(covers(package, path) for package in packages)] == []
    modules = [path for path in imported if path.name != "__init__.py"]
    assert [package for package in packages if not any(covers(package, path) for path in modules)] == []


def test_every_function_has_a_table():
    """A folder in functions/ without a table, or a table without a folder, could not be deployed."""
    assert sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py")) == FUNCTIONS
