"""Run by vLLM's own interpreter: which of the plugin's names this vLLM has moved.

The last line is JSON: the complaints, as they would stand at start-up, and for each class the
attributes that its constructor no longer sets. The latter are looked for in its source, which a
server cannot rely on: there they are looked for on the first object.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import textwrap

from inward_rewards.vllm_plugin.compat.names import MODEL_RUNNER, PROCESSES
from inward_rewards.vllm_plugin.compat.search import Touch, moved


def sets(one: Touch) -> set[str]:
    module, _, name = one.owner.partition(":")
    found: set[str] = set()
    try:
        owner = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return found  # all that it sets is lost with it
    for base in inspect.getmro(owner)[:-1]:
        try:
            source = inspect.getsource(base)
        except (OSError, TypeError):
            continue
        for node in ast.walk(ast.parse(textwrap.dedent(source))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.attr)
    return found


complaints = [line for process in PROCESSES for line in moved(process)]
for process, touches in [(one.name, one.touches) for one in PROCESSES] + [
    ("worker", (MODEL_RUNNER,))
]:
    for touch in touches:
        lost = set(touch.sets) - sets(touch) if touch.sets else ()
        complaints += [f"{touch.owner}.{name} ({process}): {touch.use}" for name in sorted(lost)]
print(json.dumps(complaints))
