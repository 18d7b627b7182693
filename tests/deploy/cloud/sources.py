"""The checks of the buildpack on an uploaded source that need no container."""

import ast
import io
import re
import zipfile

__all__ = ["BuildFailed", "check_source"]


class BuildFailed(Exception):
    """The build or the first start fails; the text becomes the error of the operation."""


def check_source(content: bytes, entry_point: str) -> None:
    """Raise BuildFailed unless the zip is a Python function with that entry point.

    Every *.py in it must compile (the buildpack runs compileall over all of them), main.py must define the
    entry point, and if one requirement has a hash, all must, and the functions framework must be among them:
    the buildpack would add it without a hash.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except zipfile.BadZipFile as error:
        raise BuildFailed("Build failed: could not unzip the source") from error
    if "main.py" not in files:
        raise BuildFailed("Build failed: missing main.py and GOOGLE_FUNCTION_SOURCE not specified")
    trees = {name: _compile(name, text) for name, text in files.items() if name.endswith(".py")}
    if entry_point not in _names(trees["main.py"]):
        raise BuildFailed(
            f"Function deployment failed: container Healthcheck failed, File main.py is expected to contain a"
            f" function named '{entry_point}'"
        )
    _check_requirements(files.get("requirements.txt", b"").decode())


def _compile(name: str, text: bytes) -> ast.Module:
    try:
        return ast.parse(text, filename=name)
    except (SyntaxError, ValueError) as error:
        raise BuildFailed(f"Build failed: *** Error compiling './{name}'... {error}") from error


def _names(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.alias(name=name, asname=other):
                names.add(other or name)
    return names


def _check_requirements(text: str) -> None:
    joined = re.sub(r"\\\n", " ", text)
    lines = [
        line for line in (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines()) if line
    ]
    packages = [line for line in lines if not line.startswith("-")]
    hashed = [line for line in packages if "--hash=" in line]
    framework = any(re.match(r"functions[-_.]framework\b", line, re.IGNORECASE) for line in packages)
    if hashed and (len(hashed) < len(packages) or not framework):
        raise BuildFailed(
            "Build failed: In --require-hashes mode, all requirements must have their versions pinned with =="
            " and a hash"
        )
