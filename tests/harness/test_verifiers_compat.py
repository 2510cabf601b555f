"""The private names of verifiers that this project stands on, as they are used. A failure names
what a new version has moved, who uses it, and what to look for."""

from __future__ import annotations

import ast
import inspect
from importlib.metadata import version
from pathlib import Path

import pytest
from inward_chat import verifiers_compat
from inward_chat.verifiers_compat import PRIVATE, Call, Private

ROOT = Path(__file__).parents[2]
PRODUCT = "inward charts environments harness judges retrieval rewards statistics training".split()
ELSEWHERE = {
    # inward-rewards does without inward-chat: it plugs into any taskset.
    "SESSION_ID_HEADER": Private(
        "verifiers.v1.clients.client",
        "inward_rewards.hidden_states.source",
        "the header of every model call that carries the trace's id",
    ),
    "resolve_api_key": Private(
        "verifiers.v1.configs.client",
        "inward_rewards.hidden_states.source, inward_judges.server",
        "the API key of a client's config",
        Call(1),
    ),
    "resolve_headers": Private(
        "verifiers.v1.configs.client",
        "inward_rewards.hidden_states.source, inward_judges.server",
        "the request headers of a client's config",
        Call(1),
    ),
    "join_url": Private(
        "verifiers.v1.clients.base",
        "inward_rewards.hidden_states.vllm",
        "what joins a base URL with a path without repeating /v1",
        Call(2),
    ),
    "RunSlot": Private(
        "verifiers.v1.env",
        "inward_rewards.entropy.environment",
        "the planned episode that Env.run_slot takes",
    ),
}
"""What a package without inward-chat imports for itself."""


def mismatch(name: str, private: Private, found: object) -> list[str]:
    """What is called otherwise than `private` says."""
    wrong = []
    if private.call is not None and not fits(found, private.call, bound=True):
        wrong.append(f"{name}{inspect.signature(found)} does not take {private.call}")
    for member, call in private.members.items():
        inside = getattr(found, member, None)
        if inside is None:
            if f"self.{member}" not in inspect.getsource(found):
                wrong.append(f"{name}.{member} is gone")
        elif call is not None and not fits(inside, call, bound=inspect.ismethod(inside)):
            wrong.append(f"{name}.{member}{inspect.signature(inside)} does not take {call}")
    return wrong


def fits(function: object, call: Call, *, bound: bool) -> bool:
    arguments = [None] * (call.positional + (not bound))
    try:
        inspect.signature(function).bind(*arguments, **dict.fromkeys(call.names))
    except TypeError:
        return False
    return True


@pytest.mark.parametrize("name", [*PRIVATE, *ELSEWHERE])
def test_a_private_name_is_where_it_was_and_is_called_as_it_was(name: str) -> None:
    private = PRIVATE.get(name) or ELSEWHERE[name]
    wrong = mismatch(name, private, private.get(name))
    assert not wrong, (
        f"verifiers {version('verifiers')}: {'; '.join(wrong)}. Used by {private.used_by}: look for"
        f" {private.look_for} in {private.module}"
    )


class Moved:
    """As `MCPConnection`, of which a later version has changed everything."""

    def __init__(self, spec: dict, url: str) -> None:
        self.spec = spec

    async def aclose(self, reason: str) -> None:
        pass


def test_what_has_moved_is_named() -> None:
    private = PRIVATE["MCPConnection"]
    wrong = mismatch("MCPConnection", private, Moved)
    assert [text.split("(")[0] for text in wrong] == [
        "MCPConnection", "MCPConnection.run is gone", "MCPConnection.aclose",
    ]  # fmt: skip
    gone = Private("verifiers.v1.nowhere", "inward_chat.harness", "the thing that does it")
    with pytest.raises(ImportError) as raised:
        gone.get("thing")
    for text in ("verifiers.v1.nowhere.thing", "inward_chat.harness", "the thing that does it",
                 version("verifiers"), "pip install"):  # fmt: skip
        assert text in str(raised.value)


def test_the_table_the_typed_imports_and_the_public_face_agree() -> None:
    tree = ast.parse(Path(verifiers_compat.__file__).read_text())
    [typed] = [node for node in tree.body if isinstance(node, ast.If)]
    imported = {
        alias.name: node.module
        for node in typed.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {name: private.module for name, private in PRIVATE.items()}
    assert set(verifiers_compat.__all__) == {*PRIVATE, "PRIVATE", "Call", "Private"}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        verifiers_compat.nothing  # noqa: B018


def test_private_names_of_verifiers_are_imported_in_one_place() -> None:
    strays = {}
    for room in PRODUCT:
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                for module, name in private_imports(node):
                    known = ELSEWHERE.get(name)
                    if known is None or known.module != module:
                        strays.setdefault(str(file.relative_to(ROOT)), []).append(name)
    assert strays.keys() <= {"harness/inward_chat/verifiers_compat.py"}, strays


def private_imports(node: ast.AST) -> list[tuple[str, str]]:
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        private = module.startswith("verifiers.") and module != "verifiers.v1"
        return [(module, alias.name) for alias in node.names] if private else []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
        return [(n, n) for n in names if n.startswith("verifiers.") and n != "verifiers.v1"]
    return []
