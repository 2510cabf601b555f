"""The configs for prime-rl and for evaluations, read by the classes that will read them."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support.runs import call

ROOT = Path(__file__).parents[2]
RL = sorted((ROOT / "configs/rl").glob("*.toml"))
EVAL = sorted((ROOT / "configs/eval").glob("*.toml"))
EVALS = sorted((ROOT / "configs/evals").glob("*.toml"))
ENVIRONMENTS = {
    p.name for p in (ROOT / "environments").iterdir() if (p / "pyproject.toml").exists()
}


def named(files):
    return {"params": files, "ids": [f.name for f in files]}


def environment(table):
    import verifiers.v1 as vf

    return vf.resolve_env_config(table)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The folders that the files name, in the working directory."""
    (tmp_path / "ReachQA/train").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(**named(RL))
def rl(request, data):
    return tomllib.loads(request.param.read_text(encoding="utf-8"))


@pytest.fixture(**named(EVAL))
def evaluation(request):
    return request.param


@pytest.mark.parametrize("files", [RL, EVAL, EVALS], ids=["rl", "eval", "evals"])
def test_every_environment_has_one(files):
    assert {f.stem.replace("-", "_") for f in files} == ENVIRONMENTS


def test_an_environment_that_owns_its_groups_is_played_once_per_task(rl):
    for source in rl["orchestrator"]["train"]["source"]:
        config = environment(source["env"])
        size = source.get("group_size", rl["orchestrator"]["group_size"])
        assert (size == 1) == hasattr(config, "group")


def test_every_file_plays_the_environment_that_it_is_named_after(rl, request):
    [source] = rl["orchestrator"]["train"]["source"]
    # "entropy-group+quality-rag": the environment, and the taskset that it plays.
    assert environment(source["env"]).env_id.split("+")[0] == source["name"]
    assert f"{source['name']}.toml" in request.node.name


def test_no_group_vanishes_and_no_turn_is_a_sequence_of_its_own(rl):
    orchestrator = rl["orchestrator"]
    algorithms = [
        orchestrator["algo"],
        *(s.get("algo", {}) for s in orchestrator["train"]["source"]),
    ]
    assert all(a.get("type") != "max_rl" for a in algorithms)
    assert orchestrator["renderer"]["name"] not in ("auto", "default")


def test_an_evaluation_is_read_by_the_command(evaluation, tmp_path):
    done = call("inward", "eval", "@", evaluation, "--dry-run", "--output-dir", "out", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "wrote config to" in done.out


@pytest.mark.parametrize("file", EVALS, ids=lambda f: f.name)
def test_prime_rls_evals_are_the_same_evaluations(file):
    theirs = tomllib.loads(file.read_text(encoding="utf-8"))
    ours = tomllib.loads((ROOT / "configs/eval" / file.name).read_text(encoding="utf-8"))
    evals = theirs["eval"]
    [source] = evals["source"]
    assert source == {"name": file.stem, "env": ours["env"]}
    assert (theirs["model"], evals["client"]) == (ours["model"], ours["client"])
    assert (evals["group_size"], evals["num_examples"]) == (
        ours["num_rollouts"],
        ours["select"]["limit"],
    )
    assert evals["sampling"] == {
        "temperature": ours["sampling"]["temperature"],
        "max_completion_tokens": ours["sampling"]["max_tokens"],
    }


@pytest.mark.parametrize("file", [*RL, *EVALS], ids=lambda f: f"{f.parent.name}/{f.name}")
def test_prime_rls_own_classes_take_it(file, data):
    checkout = os.environ.get("PRIME_RL")
    if not checkout:
        pytest.skip("PRIME_RL names no checkout of prime-rl: its own config classes were not asked")
    code = (
        "import sys, tomllib; from prime_rl.configs import evals, rl;"
        "kind = evals.EvalsConfig if sys.argv[2] == 'evals' else rl.RLConfig;"
        "kind.model_validate(tomllib.load(open(sys.argv[1], 'rb')))"
    )
    sources = [
        Path(checkout) / "packages/prime-rl-configs/src",
        # What `hierarchical_grpo` knows a proposer and its solvers by.
        Path(checkout) / "deps/verifiers/environments/proposer_solver",
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, str(file), file.parent.name],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sources))},
    )
    assert done.returncode == 0, done.stderr
