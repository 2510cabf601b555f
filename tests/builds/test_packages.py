"""Every member builds to a wheel that works alone, and every environment keeps the Hub's rules.

Like the command that runs this suite, these tests install from the package registry.
"""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
from inward_chat.testing import PolicyServer

ROOT = Path(__file__).parents[2]
MEMBERS = {
    tomllib.loads(file.read_text())["project"]["name"]: file.parent
    for file in [
        ROOT / "pyproject.toml",
        *ROOT.glob("*/pyproject.toml"),
        *ROOT.glob("environments/*/pyproject.toml"),
    ]
}
ENVIRONMENTS = {name: path for name, path in MEMBERS.items() if path.parent.name == "environments"}
SECRET_FILE = re.compile(r"(^|/)(\.env|.*\.pem|id_rsa.*|\.netrc|credentials.*)$")
SECRET_TEXT = re.compile(rb"sk-[A-Za-z0-9]{20}|hf_[A-Za-z0-9]{30}|BEGIN [A-Z ]*PRIVATE KEY")
HEAVY = {"torch", "faiss", "sentence_transformers", "vllm", "diffusers", "triton"}
PYTHONS = ("3.11", "3.12", "3.13")
OFFERED = {
    "quality-rag": {"search"},
    "math500-entropy": set(),
    "chart-spec": set(),
    "chart-adversary": set(),
    "chart-reconstruction": set(),
}
"""The tools that each environment gives to the policy: these and no others."""
FOR_OTHERS = {"inward-advisor", "entropy-group", "group-reward"}
"""Environments alone, for the tasksets of others."""
FORBIDDEN_MODULES = {"retrieval", "rewards", "environments", "tests", "harness", "benchmarks"}


def run(*command, **kwargs):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def uv():
    path = shutil.which("uv")
    if path is None:
        pytest.skip("uv is not on PATH: pip install uv")
    return path


@pytest.fixture(scope="session")
def wheels(uv, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run(uv, "build", "--all-packages", "--wheel", "--sdist", "-o", folder, cwd=ROOT)
    return folder


def interpreter(uv, version):
    """A Python of this minor version: one that uv knows of, or one of pyenv's."""
    found = subprocess.run(
        [uv, "python", "find", "--system", version], capture_output=True, text=True, check=False
    )
    if found.returncode == 0:
        return found.stdout.strip()
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for python in sorted(root.glob(f"versions/{version}.*/bin/python{version}")):
        return python
    pytest.skip(f"no Python {version} here: uv python install {version}")


@pytest.fixture
def clean_venv(uv, wheels, tmp_path):
    """Install one member, and what it declares, into a venv of its own; return its bin folder.

    Nothing but the member's own pins tells the resolver what to take."""

    def install(requirement, python=sys.executable):
        run(uv, "venv", "--python", python, tmp_path / "venv")
        python = tmp_path / "venv" / "bin" / "python"
        run(uv, "pip", "install", "--python", python, "--find-links", wheels, requirement)
        return python.parent

    return install


def project(path):
    return tomllib.loads((path / "pyproject.toml").read_text())["project"]


def packages_of(path):
    toml = tomllib.loads((path / "pyproject.toml").read_text())
    return toml["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def clean_env(tmp_path):
    """No workspace on the path, no cache of the user's, no hub."""
    keep = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "UV_"))
    }
    return {**keep, "XDG_CACHE_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}


def check_alone(name, bin_dir, tmp_path):
    """The member imports what it ships, and brought nothing heavy."""
    for package in packages_of(MEMBERS[name]):
        run(
            bin_dir / "python", "-c", f"import {Path(package).name}",
            cwd=tmp_path, env=clean_env(tmp_path),
        )  # fmt: skip
    found = run(
        bin_dir / "python", "-c",
        f"import importlib.util as u; print([m for m in {sorted(HEAVY)} if u.find_spec(m)])",
        cwd=tmp_path, env=clean_env(tmp_path),
    )  # fmt: skip
    assert found.strip() == "[]"


# An install takes ten seconds: the two that others stand on by default, the rest as slow ones.
BY_DEFAULT = ("inward-chat", "inward-rewards")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in BY_DEFAULT else pytest.mark.slow)
        for name in sorted(MEMBERS.keys() - OFFERED.keys())
    ],
)
def test_a_library_alone_imports_what_it_ships(name, clean_venv, tmp_path):
    check_alone(name, clean_venv(name), tmp_path)


def served(plugin):
    """A baseline behind the policy server, and the names of the tools that each request offers."""
    policy, offered = next(iter(plugin.baselines.values()))(0), []

    def play(body):
        offered.append({tool["function"]["name"] for tool in body.get("tools") or []})
        return policy(body)

    return PolicyServer(play), offered


def check_played(name, folder, offered, versions):
    """The run in `folder` was played by the environment's own harness with its own tools."""
    episodes = [json.loads(line) for line in (folder / "traces.jsonl").read_text().splitlines()]
    assert len(episodes) == 3
    assert all(episode["ok"] for episode in episodes), (versions, episodes)
    traces = [trace for episode in episodes for trace in episode["traces"]]
    assert {trace["agent"]["config"]["harness"]["id"] for trace in traces} == {"inward-chat"}
    assert all(trace["rewards"] for trace in traces)
    assert offered
    assert all(tools == OFFERED[name] for tools in offered), (versions, offered)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a fresh install compiles each module at its first import
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("script", "name"), [*(("vf-eval", name) for name in OFFERED), ("inward", "quality-rag")]
)
def test_the_first_run_of_a_clean_install(script, name, python, uv, clean_venv, tmp_path):
    """On each Python, with whatever versions the resolver takes there."""
    requirement = name if script == "vf-eval" else "inward"
    bin_dir = clean_venv(requirement, interpreter(uv, python))
    versions = run(uv, "pip", "freeze", "--python", bin_dir / "python")
    if script == "vf-eval":
        check_alone(name, bin_dir, tmp_path)
    plugin = importlib.import_module(f"{ENVIRONMENTS[name].name}.eval_plugin").PLUGIN
    server, offered = served(plugin)
    with server:
        run(
            bin_dir / script, *(["eval"] if script == "inward" else []), name,
            *plugin.default_args, "-m", server.model, "--client.base-url", server.base_url,
            "-n", "3", "--no-push", "--no-rich", "--run.name", "run",
            cwd=tmp_path, env=clean_env(tmp_path), timeout=280,
        )  # fmt: skip
    check_played(name, tmp_path / "outputs" / "run", offered, versions)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_keeps_the_hubs_rules(name):
    path = ENVIRONMENTS[name]
    meta = project(path)
    # `advisor` is the name of another package on PyPI.
    assert path.name == name.removeprefix("inward-").replace("-", "_")
    assert (path / path.name / "__init__.py").is_file()
    assert packages_of(path) == [path.name]
    assert re.fullmatch(r"\d+\.\d+\.\d+", meta["version"])
    assert meta["tags"]
    assert all(tag == tag.lower() for tag in meta["tags"])
    assert isinstance(meta["license"], str)
    assert meta["description"]
    assert "verifiers>=0.4,<0.5" in meta["dependencies"]
    assert (path / meta["readme"]).read_text().strip()
    exported = importlib.import_module(path.name).__all__
    if name in FOR_OTHERS:
        assert sum(text.endswith("Env") for text in exported) == len(exported) == 1
        return
    assert sum(text.endswith("Taskset") for text in exported) == 1
    # What other environments play its tasks with: see the harness's README.
    assert "InwardChat" in exported


@pytest.mark.parametrize("name", MEMBERS)
def test_members_declare_each_other_by_version(name):
    """Workspace sources vanish from a wheel: what is left must be installable from an index."""
    meta = project(MEMBERS[name])
    requirements = list(meta["dependencies"])
    for extra in meta.get("optional-dependencies", {}).values():
        requirements += extra
    assert not [r for r in requirements if "@" in r or "file:" in r]
    for requirement in requirements:
        if re.split(r"[\[<>=~! ]", requirement, maxsplit=1)[0] in MEMBERS:
            assert ">=" in requirement, requirement


@pytest.mark.parametrize("name", MEMBERS)
def test_archives_hold_nothing_secret_large_or_misnamed(name, wheels):
    [archive] = wheels.glob(f"{name.replace('-', '_')}-[0-9]*.tar.gz")
    with tarfile.open(archive) as tar:
        files = [member for member in tar.getmembers() if member.isfile()]
        total = sum(member.size for member in files)
        for member in files:
            assert not SECRET_FILE.search(member.name)
            assert not SECRET_TEXT.search(tar.extractfile(member).read())
    assert total < 2_000_000
    modules = {Path(package).name for package in packages_of(MEMBERS[name])}
    assert not modules & FORBIDDEN_MODULES


def test_the_lock_names_the_public_index_alone():
    hosts = set(re.findall(r'https?://([^/"]+)', (ROOT / "uv.lock").read_text()))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


def test_the_default_install_holds_no_torch(uv):
    """`uv run` without groups must stay small: the first command of the README."""
    exported = run(uv, "export", "--frozen", "--no-hashes", cwd=ROOT)
    names = {re.split(r"[=@ \[]", line, maxsplit=1)[0] for line in exported.splitlines()}
    assert not {name.replace("-", "_").removesuffix("_cpu") for name in names} & HEAVY
    assert "verifiers" in names
