"""A training's output as prime-rl's file monitor writes it, after the source of its commit 559b447
(21 August 2026): `monitors/file.py`, and of the orchestrator `orchestrator.py`, `dispatcher.py`,
`metrics.py` and `algo/routing.py`. Episodes are verifiers' own, written by its `to_record`.

What is easily read wrongly, and is here:

- `metrics.jsonl` has rows of the trainer and of the orchestrator; the latter overwrite `step`, and
  an evaluation's with a float.
- `all` is written on arrival, before any advantage; a rollout may be trained on at a later step,
  and is then in that step's `effective`, with `advantages` per token and their mean in `info`.
- An episode that failed in the orchestrator has the environment's name for its id, and no trace.
- The evaluations of several environments share the file of a step.
"""

import json

import verifiers.v1 as vf

TASKSET = "addition-for-tests"
NAMES = ("easy", "hard")
"""Two sources over the same taskset."""
GROUP = 4


def message(role, text):
    kinds = {"user": vf.UserMessage, "assistant": vf.AssistantMessage}
    return kinds[role](content=text)


def trace(task, number, *, reward, advantage=None):
    found = vf.WireTrace.model_validate(
        {
            "id": number, "task": task, "agent": {"config": {}}, "is_completed": True, "ok": True,
            "rewards": {"right": {"score": reward}}, "stop_condition": "agent_completed",
            "nodes": [
                {"message": message("user", "1 + 1?"), "token_ids": [1, 2], "mask": [False] * 2},
                {
                    "parent": 0, "message": message("assistant", f"reply {number}"),
                    "sampled": True, "token_ids": [3, 4, 5], "mask": [False, True, True],
                    "logprobs": [-0.25, -0.75],
                },
            ],
        }
    )  # fmt: skip
    if advantage is not None:  # assign_advantages, and what `vf_episodes` of `effective` adds
        found.nodes[1].advantages = [advantage] * 2
        found.info = {"advantage": advantage}
    return found


def episode(name, group, task, traces, *, step, kind="train"):
    work = {"train": vf.TrainWorkInfo, "eval": vf.EvalWorkInfo}[kind](
        step=step, policy=vf.PolicySpan(start=step - 1, end=step)
    )
    return vf.WireEpisode(
        id=f"{name}-{group}-{traces[0].id}" if traces else f"{name}-{group}-failed",
        # dispatcher: a task that raised has the name for its id
        env=vf.EnvInfo(id=TASKSET if traces else name, name=name),
        task=task, group=vf.GroupInfo(id=group), traces=traces, ok=bool(traces),
        errors=[] if traces else [vf.Error(type="ConnectionError", message="env server gone")],
        run=vf.TrainRunInfo(id="run", name="run", work=work),
    )  # fmt: skip


def log_episodes(folder, episodes, step, kind, subset):
    path = folder / "rollouts" / f"step_{step}" / kind / subset / "traces.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.writelines(f"{json.dumps(one.to_record(), default=str)}\n" for one in episodes)


def log_metrics(folder, metrics, step):
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": step, "time": 1.0, **metrics}) + "\n")


def training(folder, steps=3):
    """Each step: a group of each source; that of "hard" waits, and is trained on one step later.
    The last one never is."""
    folder.mkdir()
    waiting = []
    for step in range(1, steps + 1):
        log_metrics(folder, {"entropy/all/mean": 1 / step, "optim/grad_norm": 0.1}, step)
        batch, waiting = waiting, []
        for name in NAMES:
            task = vf.TraceTask[vf.WireTaskData](
                type="Task", data=vf.WireTaskData(idx=step, prompt="1 + 1?"), key=f"{name}-{step}"
            )
            group = f"{name}-{step}"
            for n in range(GROUP):
                reward, id = float(n < step), f"{group}-{n}"
                first = trace(task, id, reward=reward)
                log_episodes(
                    folder, [episode(name, group, task, [first], step=step)], step, "train", "all"
                )
                later = trace(task, id, reward=reward, advantage=reward - step / GROUP)
                (waiting if name == "hard" else batch).append(
                    episode(name, group, task, [later], step=step)
                )
            if name == "hard":
                failed = episode(name, group, task, [], step=step)
                log_episodes(folder, [failed], step, "train", "all")
        log_episodes(folder, batch, step, "train", "effective")
        log_metrics(folder, {"train/agg/effective/agent/reward/mean": step / 4, "step": step}, step)
    for name in NAMES:
        task = vf.TraceTask[vf.WireTaskData](
            type="Task", data=vf.WireTaskData(idx=9, prompt="2 + 2?"), key="held-out"
        )
        played = [
            episode(
                name, f"{name}-eval", task, [trace(task, f"{name}-eval-{n}", reward=1.0)],
                step=steps, kind="eval",
            )
            for n in range(2)
        ]  # fmt: skip
        for subset in ("all", "effective"):
            log_episodes(folder, played, steps, "eval", subset)
        found = {f"eval/{name}/effective/agent/avg@2": 1.0, "step": float(steps)}
        log_metrics(folder, found, steps)
    return folder
