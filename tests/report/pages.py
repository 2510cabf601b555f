"""Runs for a report, and a page read back."""

import base64
import gzip
import json
import re

from cli import rollouts as make

ELEMENT = re.compile(
    r'<script type="application/octet-stream" id="(\w+)"(?: data-type="([\w/]+)")?>(.*?)</script>',
    re.DOTALL,
)


def unpacked(text):
    return json.loads(gzip.decompress(base64.b64decode(text)))


def read_back(file):
    """The index of a page, and its rollouts by id."""
    found = {name: body for name, _, body in ELEMENT.findall(file.read_text("utf-8"))}
    index = unpacked(found["index"])
    rows = index["rows"]
    blocks = {name: unpacked(body) for name, body in found.items() if re.fullmatch(r"b\d+", name)}
    places = zip(rows["id"], rows["block"], rows["item"], strict=True)
    return index, {id: blocks[f"b{block}"][item] for id, block, item in places}


def talk(text="A", *, thinking=None, calls=(), result="found", question="Q"):
    """Messages of a rollout: a question, tool calls with results, a reply."""
    found = [make.message("system", "Be right."), make.message("user", question)]
    for number, query in enumerate(calls):
        call = {"id": f"c{number}", "name": "search", "arguments": json.dumps({"query": query})}
        found += [
            make.message("assistant", None, tool_calls=[call]),
            make.message("tool", result, tool_call_id=f"c{number}"),
        ]
    more = {"reasoning_content": thinking} if thinking else {}
    return [*found, make.message("assistant", text, **more)]


def measured(episode, tokens, **info):
    """With a number of completion tokens, and what scoring left."""
    for trace in episode["traces"]:
        usage = {"prompt_tokens": 50, "completion_tokens": tokens}
        trace["calls"] = [{"node": len(trace["nodes"]) - 1, "usage": usage}]
        trace["info"] = info
    return episode


def a_run(folder, tasks=4, siblings=4, **more):
    """Half of the rollouts right; the last task has one that failed."""
    episodes = []
    for task in range(tasks):
        for sibling in range(siblings):
            right = float((task + sibling) % 2 == 0)
            episodes.append(
                measured(
                    make.episode(
                        task, start=float(sibling), reward=right, tools=["search"],
                        messages=talk(f"Answer {sibling} of {task}", calls=["x"] * sibling),
                    ),
                    tokens=100 + 10 * sibling,
                )
            )  # fmt: skip
    episodes.append(
        make.episode(
            tasks - 1, start=99.0, ok=False, messages=talk()[:2],
            errors=[make.error("ProviderError", "upstream 503: busy")],
        )
    )  # fmt: skip
    return make.write(folder, *episodes, **more)


def a_training(folder, steps=(1, 2, 5)):
    """As prime-rl's file monitor leaves one."""
    for step in steps:
        episodes = [
            {
                **make.episode(task, start=float(n), reward=float(n < step), messages=talk()),
                "group": {"id": f"group-{step}-{task}"},
            }
            for task in range(3)
            for n in range(4)
        ]
        trained = json.loads(json.dumps(episodes[:4]))
        for episode in trained:
            episode["traces"][0]["info"] = {"advantage": 0.5}
        for subset, members in (("all", episodes), ("effective", trained)):
            make.write(folder / "rollouts" / f"step_{step}" / "train" / subset, *members)
    rows = [{"step": n, "time": 1.0, "reward/mean": n / 10, "note": "text"} for n in range(6)]
    lines = [json.dumps(row) for row in rows]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + '\n{"step": 6, "rew')
    return folder
