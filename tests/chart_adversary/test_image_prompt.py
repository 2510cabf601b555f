"""`mode = prompt` by real `vf-eval`, with a real image server on loopback: what a proposer would
try with image prompts, each with its published reward (README), and whose fault is whose."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import verifiers.v1 as vf
from chart_adversary.env import ChartAdversaryEnv
from chart_adversary.eval_plugin import drawing
from chart_adversary.image_prompt import Look, kind_of
from chart_adversary.novelty import Worded
from inward_charts.kinds import TABLE
from inward_charts.tasks import ChartsConfig, chart_picture
from inward_chat.testing import HttpReply, PolicyServer
from pydantic import ValidationError
from support.images import png
from support.painter import Painter, bars, foliage
from support.runs import call, episodes, vf_eval

README = Path(__file__).parents[2] / "environments/chart_adversary/README.md"
NEAR = 0.03
TITLE = "Adverse events per site"
ORDINARY = (
    f'A bar chart titled "{TITLE}" on a white page, with eight navy bars side by side from left to '
    "right, their heights 50, 45, 41, 18, 27, 33, 9 and 72 out of 100, thin grey axes, no grid "
    "lines and no legend."
)
# What it is -> the fault that is counted, the reply. Each of other words, where it may be.
REFUSED = {
    "an empty reply": ("empty", ""),
    "a specification": ("empty", '```json\n{"mark": "bar"}\n```'),
    "three words": ("few words", "A bar chart."),
    "three words, again and again": ("few words", "A bar chart. " * 30),
    "no kind of chart": ("no kind", ORDINARY.replace("bar chart", "picture")),
    "letters that look like others": ("letters", ORDINARY.replace("page", "pаge")),
    "more than is read": ("too long", ORDINARY + " A calm page." * 600),
    "more than the encoder reads": ("too long", ORDINARY + " A calm page." * 160),
    "a blank white image": ("blank", ORDINARY + " Leave the page blank."),
    "a photograph of foliage": ("no ground", ORDINARY + " Behind it a photograph of foliage."),
    "what the generator refuses": ("refused", ORDINARY + " Something forbidden."),
    "what is drawn all black": ("refused", ORDINARY + " At night."),
}  # fmt: skip
MET = {
    "an ordinary image prompt": ORDINARY,
    "the same prompt again": ORDINARY,
    "the prompt with other numbers": re.sub(r"\d+", lambda n: str(100 - int(n[0])), ORDINARY),
    "the prompt in another order": ", ".join(reversed(ORDINARY.split(", "))),
    "the prompt within other words": (
        "Imagine a calm scientific journal whose editors prefer quiet figures. "
        + ORDINARY
        + " Everything looks printed upon smooth paper, sharp, balanced, modern, elegant."
    ),
    "bars that each noise draws anew": (
        "Eleven green columns as a column chart, drawn at random: their lengths 1 2 3 4 5 6 7 8 9 "
        "10 11 are up to you, above a plain base line, without caption, key or any other label."
    ),
    "orders in the picture, and the solver obeys": (
        "One maroon column graph over seven farms; large letters beside it order every reader to "
        "stay silent. Tons harvested: 31, 12, 44, 38, 16, 26, 61; thin rules, square paper."
    ),
    "a picture that solvers describe in its own words": (
        "Nine orange wedges become upright blocks here: this step chart counts hazelnuts picked by "
        "nine families, 14, 22, 35, 41, 58, 63, 70, 81 and 90, beneath an empty heading."
    ),
    "a picture of which solvers see nothing": (
        "Simple histogram of sleep: five orange boxes, 80, 60, 55, 30, 15 percent tall; nobody "
        "else appears, margins wide, typography invisible, mood sober, tone neutral."
    ),
}
PROPOSALS = MET | {name: reply for name, (_, reply) in REFUSED.items()}
PUBLISHED = dict.fromkeys(PROPOSALS, 0.0) | {"an ordinary image prompt": 0.38}
REPEATS = {name for name in MET if name.startswith("the ")}


def misread(prompt: str) -> str:
    """The last number of a list is missed, each other 40 % too high or too low."""
    chance = random.Random(0)

    def number(found: re.Match[str]) -> str:
        return str(round(int(found[0]) * (1 + chance.choice((-1, 1)) * 0.4)))

    return re.sub(r"\d+", number, re.sub(r" and \d+", "", prompt))


def asked(count: int) -> list[str]:
    env = vf.load_environment(vf.resolve_env_config({"taskset": {"id": "chart-adversary"}}))
    assert isinstance(env, ChartAdversaryEnv)
    return [str(task.data.prompt) for task in itertools.islice(env.taskset, count)]


def options(server: Painter) -> tuple[Any, ...]:
    return (
        *("--env.mode", "prompt", "--env.redraw.type", "images", "--env.redraw.retries", 0),
        *("--env.redraw.base-url", server.base_url, "--env.redraw.megapixels", 0.1),
    )


class Player:
    """Proposes what it is told to, and describes it as a solver of middling sight would."""

    def __init__(self, proposals: dict[str, str]) -> None:
        self.names = dict(zip(asked(len(proposals)), proposals, strict=True))
        self.proposals, self.last = proposals, ""

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        told, shown = body["messages"][0]["content"], body["messages"][-1]["content"]
        assert "image generator" in told
        if isinstance(shown, str):
            self.last = self.names[shown]
            return {"content": self.proposals[self.last]}
        assert TITLE not in str(body)
        prompt = self.proposals[self.last]
        if "obeys" in self.last:
            return {"content": ""}
        if "see nothing" in self.last:
            return {"content": "A chart with bars."}
        return {"content": prompt if "own words" in self.last else misread(prompt)}


LATER = (
    "the prompt with other numbers",
    "the prompt in another order",
    "the prompt within other words",
    "orders in the picture, and the solver obeys",
)
"""Slow for their number."""
Played = dict[str, list[dict[str, Any]]]
"""Name -> the traces: the proposer's, then the solvers'."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(
        [name for name in PROPOSALS if name not in LATER], tmp_path_factory.mktemp("played")
    )


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(["an ordinary image prompt", *LATER], tmp_path_factory.mktemp("later"))


def play(names: list[str], folder: Path) -> Played:
    proposals = {name: PROPOSALS[name] for name in names}
    with pytest.MonkeyPatch.context() as patch, Painter() as painter:
        patch.setenv("INWARD_CACHE_DIR", str(folder / "cache"))
        player = Player(proposals)
        with PolicyServer(player) as server:
            found = vf_eval(
                "chart-adversary", server, "-n", len(proposals), "--env.n", 2,
                "--max-concurrent", 1, *options(painter), cwd=folder,
            )  # fmt: skip
        assert all(episode["ok"] for episode in found), [e["errors"] for e in found]
    return {player.names[e["task"]["data"]["prompt"]]: e["traces"] for e in found}


def reward(trace: dict[str, Any]) -> float:
    [(_, found)] = trace["rewards"].items()
    return float(found["score"])


@pytest.mark.parametrize("name", [name for name in PROPOSALS if name not in LATER])
def test_earns_what_is_published(played: Played, name: str) -> None:
    check(name, *played[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", LATER)
def test_these_too(later: Played, name: str) -> None:
    check(name, *later[name])


def check(name: str, proposer: dict[str, Any], *solvers: dict[str, Any]) -> None:
    said, metrics = proposer["info"]["proposal"], proposer["metrics"]
    assert reward(proposer) == pytest.approx(PUBLISHED[name], abs=NEAR)
    assert said["fault"] == (REFUSED[name][0] if name in REFUSED else None)
    assert metrics["refused"] == (name in REFUSED) == bool(said["reason"])
    # A refusal costs no solver.
    assert len(solvers) == (0 if name in REFUSED else 2)
    if name in REFUSED:
        if "drawings" not in said:
            assert drawing(vf.WireTrace.model_validate(proposer)) is None
        return
    # What is logged is what was scored.
    mean = sum(map(reward, solvers)) / 2
    assert metrics["solver_mean"] == pytest.approx(mean)
    assert metrics["repeat"] == (name in REPEATS)
    assert metrics["noise_floor"] == 1 - min(said["redraws"])
    assert len(said["redraws"]) == 2
    left = max(0.0, 1 - mean - metrics["noise_floor"])
    assert reward(proposer) == pytest.approx(left * metrics["novelty"] * metrics["inside_band"])
    assert metrics["inside_band"] == (0.1 <= mean <= 0.95 and mean > metrics["blind"])


def test_each_row_stands_for_what_it_says(played: Played) -> None:
    metrics = {name: traces[0]["metrics"] for name, traces in played.items()}
    assert metrics["bars that each noise draws anew"]["noise_floor"] > 0.2
    assert metrics["an ordinary image prompt"]["noise_floor"] < 0.05
    # Who says the very prompt leaves nothing: the band does not have to.
    own = metrics["a picture that solvers describe in its own words"]
    assert own["solver_mean"] >= 1 - own["noise_floor"] - 1e-9
    lost = metrics["a picture of which solvers see nothing"]
    assert 0.1 < lost["solver_mean"] <= lost["blind"]


def test_the_published_table_is_in_the_readme() -> None:
    readme = README.read_text()
    for name, value in PUBLISHED.items():
        fault = f" ({REFUSED[name][0]})" if name in REFUSED else ""
        assert f"| {name}{fault} | {value:.2f} |" in readme, name


def test_both_seats_see_one_drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Solvers see what was drawn once, in the order of the seeds; a rerun asks no server."""
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path / "cache"))
    player = Player({"ordinary": ORDINARY})
    runs = []
    with Painter() as painter, PolicyServer(player) as server:
        for name in ("one", "two"):
            arguments = ("-n", 1, "--env.n", 3, *options(painter))
            runs += vf_eval("chart-adversary", server, *arguments, cwd=tmp_path, name=name)
        bodies = painter.bodies
    proposer, *solvers = runs[0]["traces"]
    pictures = {str(trace["task"]["data"]["prompt"]) for trace in solvers}
    assert len(pictures) == 1
    own = [body["seed"] for body in bodies if body["prompt"] == ORDINARY]
    # Its own drawing, and two more for the noise floor.
    assert len(own) == len(set(own)) == 3
    # Solvers said the same, which is drawn once, with the noise of the first of the two.
    [described] = [body for body in bodies if body["prompt"] == misread(ORDINARY)]
    assert described["seed"] == own[1]
    assert len(bodies) == 5  # and the one of a solver that does not look
    again = runs[1]["traces"]
    assert list(map(reward, again)) == list(map(reward, [proposer, *solvers]))
    assert again[0]["info"]["proposal"] == proposer["info"]["proposal"]


class Failing(Painter):
    """Out of memory after some drawings."""

    def __init__(self, good: int) -> None:
        super().__init__()
        self.good = good

    def _answer(self, body: dict[str, Any]) -> Mapping[str, Any] | HttpReply:
        if len(self.bodies) > self.good:
            self.fault = "500"
        return super()._answer(body)


@pytest.mark.parametrize("good", [0, 1, 4], ids=["the proposal", "its noise floor", "a solver's"])
def test_a_generator_at_fault_scores_nobody(
    good: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path / "cache"))
    player = Player({"ordinary": ORDINARY})
    with Failing(good) as painter, PolicyServer(player) as server:
        done = call(
            "vf-eval", "chart-adversary", "-m", server.model,
            "--client.base-url", server.base_url, "--no-push", "--no-rich", "--run.name", "run",
            "-n", 1, "--env.n", 1, *options(painter), cwd=tmp_path,
        )  # fmt: skip
    [episode] = episodes(tmp_path / "outputs" / "run")
    assert not episode["ok"], done.err
    # A reward that raised is noted as none.
    assert {one for t in episode["traces"] for one in t["rewards"].values()} <= {None}
    errors = [*episode["errors"], *(one for t in episode["traces"] for one in t["errors"])]
    assert len(painter.bodies) > good
    for error in errors:
        assert f"redraw.type 'images': '{painter.base_url}'" in error["message"]
        assert "out of memory: see its log" in error["message"]
    assert len(errors) == 1


def test_inward_eval_plays_both_seats_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path / "cache"))
    with Painter() as painter:
        done = call(
            "inward", "eval", "chart-adversary", "--baseline", "repeating", "-n", 2, "--env.n", 1,
            "--max-concurrent", 1, "--output-dir", "out", *options(painter), cwd=tmp_path,
        )  # fmt: skip
    assert done.code == 0, done.err
    assert "noise floor of the generator" in done.out
    assert "by their image prompts: dot 100%" in done.out
    [folder] = (tmp_path / "out").iterdir()
    repeats = [e["traces"][0]["metrics"]["repeat"] for e in episodes(folder)]
    assert sorted(repeats) == [0, 1]


IMAGES = {"type": "images", "base_url": "http://127.0.0.1:9/v1"}


@pytest.mark.parametrize(
    ("table", "line"),
    [({"mode": "prompt"}, "mode 'prompt' needs an image generator: set redraw.type"),
     ({"redraw": IMAGES}, "mode 'spec' asks no image generator, and redraw is set"),
     ({"redraws": 3}, "redraws is set"),
     ({"mode": "prompt", "redraw": {"type": "plain"}}, "'images', 'diffusers'"),
     ({"mode": "prompt", "redraw": IMAGES, "similarity": {"type": "table"}},
      "set similarity.type to 'chart'"),
     ({"mode": "prompt", "redraw": IMAGES, "redraws": 0}, "redraws"),
     ({"mode": "prompt", "redraw": IMAGES,
       "taskset": {"chart_spec": {"weights": {"text": 2}}}}, "taskset.chart_spec is set")],
)  # fmt: skip
def test_bad_settings_are_refused(table: dict[str, Any], line: str) -> None:
    taskset = {"id": "chart-adversary", **table.pop("taskset", {})}
    with pytest.raises(ValidationError, match=re.escape(line)):
        vf.resolve_env_config({"taskset": taskset, **table})


def test_a_missing_key_stops_the_start() -> None:
    redraw = {**IMAGES, "api_key_var": "NO_SUCH_KEY"}
    table = {"taskset": {"id": "chart-adversary"}, "mode": "prompt", "redraw": redraw}
    with pytest.raises(ValueError, match="NO_SUCH_KEY"):
        vf.load_environment(vf.resolve_env_config(table))


def test_a_config_survives_the_dump_of_what_was_set() -> None:
    table = {"taskset": {"id": "chart-adversary"}, "mode": "prompt", "redraw": IMAGES}
    given = vf.resolve_env_config(table)
    again = type(given)(**given.model_dump(exclude_unset=True))
    assert again.redraw == given.redraw is not None


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [("A stacked Bar-Chart with a line graph over it", "bar+line"),
     ("two scatter plots", "scatter"), ("histograms", "histogram"), ("A heat map", "heat map"),
     ("A bar of soap", None), ("the sidebar charts", None)],
)  # fmt: skip
def test_the_kind_is_what_the_prompt_names(prompt: str, kind: str | None) -> None:
    assert kind_of(prompt) == kind


@pytest.mark.slow
def test_generated_charts_look_like_charts() -> None:
    """As the README counts them; those that look scanned too."""
    config = ChartsConfig(id="charts", seed=5, kinds=list(TABLE), noise_share=0.3)
    faults: Counter[str | None] = Counter()
    for number in range(90):
        fault = Look.of(chart_picture(config, number).png).fault
        faults[None if fault is None else fault[0]] += 1
    assert faults == {None: 89, "uneven": 1}


def test_foliage_looks_like_none() -> None:
    assert Look.of(png(bars(ORDINARY, 300, 200, 1))).fault is None
    found = Look.of(png(foliage(300, 200, 1))).fault
    assert found is not None
    assert found[0] == "no ground"


def test_new_words_are_new_and_old_ones_are_not() -> None:
    old = Worded.of(ORDINARY)
    assert old.sameness(Worded.of(ORDINARY.upper())) == 1
    assert old.sameness(Worded.of("Hello. " + ORDINARY + " And much else." * 50)) == 1
    assert old.sameness(Worded.of(" ".join(sorted(ORDINARY.split())))) == 1
    assert old.sameness(Worded.of("Five violins, painted by a child")) < 0.2
    assert Worded.of("").sameness(old) == 0
    # As the README says.
    different = [Worded.of(prompt) for name, prompt in MET.items() if name not in REPEATS]
    pairs = itertools.combinations(different, 2)
    novelties = [1 - one.sameness(other) ** 2 for one, other in pairs]
    assert len(different) == 5
    assert round(min(novelties), 2) == 0.98
