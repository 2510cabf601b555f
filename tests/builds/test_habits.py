"""Habits of the code that are easily lost: files of a size, absolute imports, public faces."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("inward", "harness", "retrieval", "rewards", "charts", "statistics", "training")
MAX_LINES = 350
REASON = "one file because"
"""The first lines of a longer file say why it is one."""
FACES = (
    "inward_chat",
    "inward_charts",
    "inward_retrieval",
    "inward_rewards.charts",
    "inward_rewards.entropy",
    "inward_rewards.hidden_states",
    "inward_rewards.maths",
    "inward_rewards.sandbox",
    "inward_statistics",
    "inward_training",
)
"""Packages whose `__all__` is all that others import of them."""
OPEN = {
    "inward_chat.testing",
    "inward_chat.verifiers_compat",
    "inward_retrieval.commands",
    "inward_training.engine",
    "inward_training.serve",
    "inward_training.trl",
}
"""Modules that are a public face of their own: what they need is not imported with the package."""


def files() -> list[Path]:
    rooms = [*(ROOT / room for room in PRODUCT), *(ROOT / "environments").glob("*/*")]
    found = [f for room in rooms if room.is_dir() for f in room.rglob("*.py")]
    return sorted({f for f in found if not {"tests", "dist", "build", ".venv"} & set(f.parts)})


def package_of(file: Path) -> str:
    """The dotted name of the package that a file is in."""
    parts = list(file.relative_to(ROOT).parts[:-1])
    while parts and not (ROOT.joinpath(*_with_root(file, parts)) / "__init__.py").exists():
        parts = parts[1:]
    return ".".join(parts)


def _with_root(file: Path, parts: list[str]) -> list[str]:
    whole = list(file.relative_to(ROOT).parts[:-1])
    return whole[: len(whole) - len(parts)] + parts[:1]


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted module of each import."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file.relative_to(ROOT)}:{node.lineno}: a relative import"
            module = node.module or ""
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def submodules(face: str) -> set[str]:
    """The modules behind a face, by dotted name."""
    top = next(p for p in ROOT.glob(f"*/{face.split('.')[0]}"))
    folder = top.joinpath(*face.split(".")[1:])
    return {
        ".".join([face, *f.relative_to(folder).with_suffix("").parts]).removesuffix(".__init__")
        for f in folder.rglob("*.py")
        if f != folder / "__init__.py"
    }


def test_there_is_something_to_look_at():
    assert len(files()) > 100
    assert all(submodules(face) for face in FACES)


@pytest.mark.parametrize("file", files(), ids=lambda f: str(f.relative_to(ROOT)))
def test_a_file_is_of_a_size_or_says_why(file):
    lines = file.read_text(encoding="utf-8").splitlines()
    head = " ".join("\n".join(lines[:12]).split())
    assert len(lines) <= MAX_LINES or REASON in head, f"{len(lines)} lines"


@pytest.mark.parametrize("face", FACES)
def test_nothing_outside_imports_what_lies_behind_a_face(face):
    behind = submodules(face) - OPEN
    past = [
        f"{file.relative_to(ROOT)}:{line} {module}"
        for file in files()
        # Within one distribution rooms may know more of each other: they are released together.
        if package_of(file).split(".")[0] != face.split(".")[0]
        for line, module in imports(file)
        if module in behind
    ]
    assert past == []
