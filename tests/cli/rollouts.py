"""Run directories without a run: what verifiers would have written."""

import json


def message(role, content, **more):
    return {"role": role, "content": content, **more}


def trace(
    idx=0,
    *,
    start=0.0,
    messages=(),
    ok=True,
    errors=(),
    tools=(),
    reward=1.0,
    agent="agent",
    config=None,
):
    nodes = [
        {"parent": n - 1 if n else None, "message": m, "sampled": m["role"] == "assistant"}
        for n, m in enumerate(messages)
    ]
    return {
        "id": f"t{idx}-{start}-{agent}", "task": task(idx), "ok": ok, "errors": list(errors),
        "agent": {"name": agent, "config": config or {}}, "nodes": nodes,
        "tools": [{"name": name, "description": "", "parameters": {}} for name in tools],
        "rewards": {"reward": {"score": reward}}, "metrics": {"m": 1.0},
        "timing": {"start": start}, "is_completed": True,
    }  # fmt: skip


def task(idx):
    return {"type": "T", "data": {"idx": idx, "id": f"task-{idx}", "prompt": "?"}, "key": f"k{idx}"}


def episode(idx=0, *, traces=None, ok=True, errors=(), **more):
    traces = [trace(idx, ok=ok, **more)] if traces is None else traces
    return {
        "id": f"e{idx}-{more.get('start', 0.0)}-{len(traces)}", "task": task(idx), "ok": ok,
        "errors": list(errors), "traces": traces,
    }  # fmt: skip


def error(kind, text, status=None):
    return {"type": kind, "message": text, "status_code": status}


def write(folder, *episodes, torn=""):
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(e) + "\n" for e in episodes)
    (folder / "traces.jsonl").write_text(lines + torn)
    return folder
