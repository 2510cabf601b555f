"""What a package imports is what it declares: an import that works here because another package
brought the library along fails in somebody's clean install."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECTS = [
    ROOT / "pyproject.toml",
    *sorted(ROOT.glob("*/pyproject.toml")),
    *sorted(ROOT.glob("environments/*/pyproject.toml")),
]
BROUGHT_BY = {
    # An extra's library brings it, and is of no use without it.
    "huggingface_hub": {"sentence-transformers", "transformers"},
    # Only inside a process of that engine.
    "torch": {"sentence-transformers", "transformers", "vllm"},
    "fastapi": {"vllm"},
    "msgspec": {"vllm"},
    "starlette": {"vllm"},
    # An environment's plug-in is loaded by the command alone, which is therefore installed.
    "inward": set(),
    # Verifiers' example environment, on no index: prime-rl's checkout brings it, else it is not
    # needed.
    "proposer_solver": set(),
}
"""Module -> the distributions of which one must be declared in its place."""
ENGINE = {"vllm", "openenv", "skyrl", "tinker", "tinker_cookbook", "verl"}
"""Never declared: the plug-in runs where the engine is installed; openenv wants an mcp below that
of quality-rag, the trainers pin engines and libraries of their own, and one lock holds all."""


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(project):
    lines = list(project.get("dependencies", []))
    for extra in project.get("optional-dependencies", {}).values():
        lines += extra
    return {normal(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in lines}


def packages(table):
    return table["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def imported(folder):
    """Top-level module -> a file that imports it."""
    found = {}
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            elif isinstance(node, ast.Call) and looks_up(node):
                names = [node.args[0].value]
            else:
                continue
            for name in names:
                found.setdefault(name.partition(".")[0], file)
    return found


def looks_up(call):
    """Whether it is `import_module("name")`, or our `optional("name", …)`."""
    function = call.func.id if isinstance(call.func, ast.Name) else ""
    named = call.args and isinstance(call.args[0], ast.Constant)
    return bool(function in ("import_module", "optional") and named)


WORKSPACE = {
    package: normal(table["project"]["name"])
    for file in PROJECTS
    if (table := tomllib.loads(file.read_text()))
    for package in packages(table)
}
INSTALLED = packages_distributions()


def providers(module):
    """The distributions, any of which gives the module."""
    if module in WORKSPACE:
        return {WORKSPACE[module]}
    return {normal(name) for name in INSTALLED.get(module, [module])}


@pytest.mark.parametrize("file", PROJECTS, ids=lambda file: str(file.parent.relative_to(ROOT)))
def test_every_import_is_declared(file):
    table = tomllib.loads(file.read_text())
    project = table["project"]
    own = {normal(project["name"])}
    allowed = declared(project) | own
    undeclared = {
        module: (str(where.relative_to(ROOT)), sorted(providers(module)))
        for package in packages(table)
        for module, where in imported(file.parent / package).items()
        if not (module in sys.stdlib_module_names or module in ENGINE)
        and not (module in BROUGHT_BY and (not BROUGHT_BY[module] or BROUGHT_BY[module] & allowed))
        and not providers(module) & allowed
    }
    assert not undeclared, f"module -> (its first import, what to declare): {undeclared}"
