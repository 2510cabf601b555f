"""The two seats by real `vf-eval` and `inward eval`: who is trained, who is asked, what is kept."""

from __future__ import annotations

import asyncio
import json
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import verifiers.v1 as vf
from chart_adversary import seats as seats_module
from chart_adversary.env import ChartAdversaryEnv, ChartAdversaryEnvConfig
from chart_adversary.novelty import Recent, Shown
from inward_chat.testing import HttpReply, PolicyServer
from inward_rewards.charts import Row, Scene
from pydantic import ValidationError
from support.charts import fenced, numbers_changed
from support.proposals import ORDINARY
from support.runs import call, episodes, vf_eval


class Player:
    """Proposes a chart and copies it, each number `misread` by a share of it."""

    def __init__(self, spec: Any = ORDINARY, misread: float = 0.06) -> None:
        self.spec, self.misread, self.asked = spec, misread, Counter[str]()

    def __call__(self, body: dict[str, Any]) -> Any:
        solver = not isinstance(body["messages"][-1]["content"], str)
        self.asked["solver" if solver else "proposer"] += 1
        shown = json.dumps(body["messages"])
        assert ("image_url" in shown) == solver
        assert not (solver and "adverse events per site" in shown)  # the truth is not told
        return {
            "content": fenced(numbers_changed(self.spec, self.misread) if solver else self.spec)
        }


def play(policy, tmp_path, *options, name="run"):
    with PolicyServer(policy) as server:
        return vf_eval(
            "chart-adversary", server, "-n", 1, *options, cwd=tmp_path, name=name
        )  # fmt: skip


def seats(episode):
    return Counter((t["agent"]["name"], t["agent"]["trainable"]) for t in episode["traces"])


@pytest.mark.parametrize(
    ("options", "trained"),
    [((), (True, True)), (("--env.train-solver", "false"), (True, False)),
     (("--env.train-proposer", "false"), (False, True))],
    ids=["both", "the proposer", "the solver"],
)  # fmt: skip
def test_either_seat_is_trained_or_frozen(options, trained, tmp_path):
    [episode] = play(Player(), tmp_path, "--env.n", 2, *options)
    assert seats(episode) == {("proposer", trained[0]): 1, ("solver", trained[1]): 2}


def test_each_seat_has_its_own_model_and_server(tmp_path):
    proposer, solver = Player(), Player()
    with PolicyServer(solver, model="reader") as other:
        [episode] = play(
            proposer, tmp_path, "--env.n", 2,
            "--env.solver.model", "reader", "--env.solver.client.base-url", other.base_url,
        )  # fmt: skip
    assert proposer.asked == {"proposer": 1}
    assert solver.asked == {"solver": 2}
    assert {t["agent"]["config"]["model"] for t in episode["traces"][1:]} == {"reader"}


def test_a_failed_attempt_is_no_reward_and_no_repeat(tmp_path):
    """Played again, a proposal whose solver failed is new."""
    player, failing = Player(), [True]

    def policy(body):
        if not isinstance(body["messages"][-1]["content"], str) and failing and failing.pop():
            return HttpReply(400, "no such model")
        return player(body)

    [episode] = play(policy, tmp_path, "--env.n", 1, "--env.retries.max-retries", 1)
    assert episode["ok"], episode["errors"]
    assert episode["traces"][0]["metrics"]["repeat"] == 0


def test_a_reply_without_a_specification_is_the_proposers_zero(tmp_path):
    def policy(body):
        return {"content": "A bar chart of rainfall."}

    [episode] = play(policy, tmp_path)
    [trace] = episode["traces"]
    assert episode["ok"]
    assert trace["rewards"] == {"difficulty": {"score": 0.0, "weight": 1.0}}
    assert trace["info"]["proposal"]["fault"] == "not drawn"


def test_the_memory_is_bounded_and_forgets():
    async def meet(recent, *values):
        return [await recent.meet(one) for one in values]

    def content(*values):
        return Shown.of(Scene(tuple(Row((str(v),), v, 100.0) for v in values), (), (), ()))

    one, other = content(1, 20, 40), content(5, 60, 90)
    recent = Recent(1)
    assert asyncio.run(meet(recent, one, one, other, one)) == [0, 1, 0, 0]
    recent.forget(one)
    assert asyncio.run(meet(recent, one)) == [0]


def test_inward_eval_shows_collapse(tmp_path):
    done = call(
        "inward", "eval", "chart-adversary", "--baseline", "repeating", "-n", 3,
        "--env.n", 1, "--output-dir", "out", "--max-concurrent", 1,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "solvers' mean per proposal" in done.out
    assert "equal shares" in done.out
    [folder] = (tmp_path / "out").iterdir()
    repeats = [e["traces"][0]["metrics"]["repeat"] for e in episodes(folder)]
    assert sorted(repeats) == [0, 1, 1]


@pytest.mark.parametrize(
    ("table", "line"),
    [({"taskset": {"task": {"low": 0.9, "high": 0.2}}}, "low 0.9 must be below high 0.2"),
     ({"memory": 0}, "memory"), ({"n": 0}, "n")],
)  # fmt: skip
def test_bad_settings_are_refused(table, line):
    taskset = {"id": "chart-adversary", **table.pop("taskset", {})}
    with pytest.raises(ValidationError, match=line):
        vf.resolve_env_config({"taskset": taskset, **table})


def test_a_seed_gives_the_same_ideas():
    def ideas(seed):
        taskset = {"id": "chart-adversary", "seed": seed}
        env = vf.load_environment(vf.resolve_env_config({"taskset": taskset}))
        assert isinstance(env, ChartAdversaryEnv)
        return [task.data.prompt for task, _ in zip(env.taskset, range(50), strict=False)]

    assert ideas(1) == ideas(1) != ideas(2)
    assert len(set(ideas(1)[:40])) == 40


SEATS = Path(seats_module.__file__)
STAND_IN = """
import verifiers.v1 as vf
from pydantic import Field

class ProposerSolverEnvConfig(vf.EnvConfig):
    proposer: vf.AgentConfig = vf.AgentConfig()
    solver: vf.AgentConfig = vf.AgentConfig()
    n: int = Field(4, ge=1)
    train_proposer: bool = True
    train_solver: bool = True
"""


def test_verifiers_own_settings_are_taken_where_they_are_installed(tmp_path, monkeypatch):
    (tmp_path / "proposer_solver.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path)
    found = runpy.run_path(str(SEATS))
    assert found["ProposerSolver"].__module__ == "proposer_solver"
    del sys.modules["proposer_solver"]  # monkeypatch would bring it back
    (tmp_path / "proposer_solver.py").write_text("import absent_library")
    with pytest.raises(ModuleNotFoundError, match="absent_library"):
        runpy.run_path(str(SEATS))


@pytest.mark.slow
def test_it_is_a_proposer_solver_env_where_that_is_installed(tmp_path):
    """What prime-rl's `hierarchical_grpo` asks, in its own words: an `isinstance`."""
    (tmp_path / "proposer_solver.py").write_text(STAND_IN)
    code = (
        "import verifiers.v1 as vf; from proposer_solver import ProposerSolverEnvConfig as Theirs;"
        "config = vf.resolve_env_config({'taskset': {'id': 'chart-adversary'}, 'n': 3});"
        "assert isinstance(config, Theirs) and config.n == 3;"
        "assert config.solver.harness.id == 'inward-chat', config.solver"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_without_it_the_fields_are_the_same():
    fields = {"proposer", "solver", "n", "train_proposer", "train_solver"}
    assert fields <= ChartAdversaryEnvConfig.model_fields.keys()
