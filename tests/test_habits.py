"""Habits of the code that a linter does not know."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = "inward charts statistics harness judges retrieval rewards training environments".split()
FILES = sorted(
    path
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
    if not {".venv", "build", "dist"} & set(path.relative_to(ROOT).parts)
)
MAX_LINES = 350
REASON = "Longer than other files:"
"""With these words in its first 20 lines a file may be longer."""
# What has a public face: outside of it nothing below is imported.
FACES = [
    *(
        f"inward_rewards.{room}"
        for room in ("charts", "entropy", "hidden_states", "images", "maths")
    ),
    *(f"inward_rewards.{room}" for room in ("any_taskset", "group_rewards", "signals")),
    "inward_rewards.sandbox",
    "inward_retrieval",
    "inward_charts",
    "inward_chat",
    "inward_statistics",
    "inward_training",
]
# Modules that are faces of their own: they bring what not every user of the package needs.
ALSO_PUBLIC = {
    "inward_charts.eval_plugin",
    "inward_charts.tasks",
    "inward_chat.downloads",
    "inward_chat.harness",
    "inward_chat.json_lines",
    "inward_chat.loopback",
    "inward_chat.testing",
    "inward_chat.verifiers_compat",
    "inward_retrieval.commands",
    "inward_training.engine",
    "inward_training.env_server",
    "inward_training.openenv",
    "inward_training.serve",
    "inward_training.skyrl",
    "inward_training.tinker",
    "inward_training.trl",
    "inward_training.trl_environment",
    "inward_training.verl",
}


def module_of(path):
    """The dotted name of a file, below the folder that holds its outermost package."""
    parts, folder = [path.stem], path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts)


MODULES = {module_of(path).removesuffix(".__init__") for path in FILES}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.lineno, node.level, node.module or ""
            for name in node.names:
                if (full := f"{node.module}.{name.name}") in MODULES:
                    yield node.lineno, node.level, full
        elif isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, 0, name.name


def named(path):
    return path.relative_to(ROOT).as_posix()


def test_files_are_found():
    assert len(FILES) > 100


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_long_file_says_why(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MAX_LINES or REASON in " ".join(line.strip() for line in lines[:20])


@pytest.mark.parametrize("path", FILES, ids=named)
def test_imports_are_absolute(path):
    assert [line for line, level, _ in imported(path) if level] == []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_only_public_faces_are_imported(path):
    own = module_of(path)
    inside = [
        f"line {line}: {module}"
        for line, _, module in imported(path)
        for face in FACES
        if module.startswith(f"{face}.")
        and module not in ALSO_PUBLIC
        # Within one distribution rooms may know more of each other: they are released together.
        and own.split(".")[0] != face.split(".")[0]
    ]
    assert inside == []
