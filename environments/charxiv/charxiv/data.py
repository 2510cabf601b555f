"""Figures and questions: CharXiv's validation set, or ReachQA's, from a folder or downloaded.

The annotations and the benchmark's own instructions come from its repository, pinned by content;
the pictures from the hub's data set, pinned by revision. None of them is part of this package
(questions CC BY-SA 4.0; the charts are their authors').
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from inward_chat.downloads import DataError, PinnedFile, fetch

from charxiv.grading import number

Kind = Literal["reasoning", "descriptive"]

COMMIT = "7ebe88f78dee387691551f071abcb2b9e1a8025b"
REPOSITORY = f"https://raw.githubusercontent.com/princeton-nlp/CharXiv/{COMMIT}"
FILES = {
    "reasoning_val.json": ("data", "a28a5f2b0a583b2a438217dc6f96bf9a1bf8f2be"),
    "descriptive_val.json": ("data", "aa9c2fc33cf1e966a0e306319943cb6cdbaa3287"),
    "constants.py": ("src", "6fc3c9b8f8f26a57d367ce34f3cf7a3e51c7b331"),
}
"""Folder in the repository, and the SHA-1 by which git names the content."""
HUB_ID = "princeton-nlp/CharXiv"
HUB_REVISION = "0adce2f0abf7978af552fca4497b3dcba06d6ccb"
INSTRUCTIONS = {
    f"{kind}_{name}"
    for kind in ("REASONING", "DESCRIPTIVE")
    for name in ("RESP_INST", "GRADING_PREFIX")
} | {"REASONING_GRADING_INST", "DESCRIPTIVE_GRADING_QMAP", "DESCRIPTIVE_GRADING_ICL"}
"""What its constants.py defines: instructions to the policy, and to the judge."""
ICL = {1: "title", 13: "enum", 16: "trend"}
"""Template -> the benchmark's name of its rubric; "ocr" for the other texts."""
SUFFIXES = (".jpg", ".jpeg", ".png")
WITHOUT_FIGURE = (18, 19)
"""Templates that ask for the whole figure, never for a subplot."""


@dataclass(frozen=True)
class Question:
    id: str
    figure: str
    kind: Kind
    number: int
    """Category (reasoning) or template (descriptive)."""
    text: str
    """The question alone, as a judge is shown it."""
    prompt: str
    """With the benchmark's instructions, where it has any."""
    gold: str
    grading: str
    """The benchmark's prompt for its judge, with `<|ground_truth|>` and `<|response|>` left open;
    empty where it has none."""


@dataclass(frozen=True)
class Benchmark:
    questions: list[Question]
    picture: Callable[[str], bytes]
    """Of a figure, as published."""


def load(folder: Path | None, kinds: tuple[Kind, ...]) -> Benchmark:
    """Raises `DataError`, which names the file and the mend."""
    if folder is not None and (folder / "qa.json").is_file():
        return Benchmark(list(_reachqa(folder)), lambda figure: _bytes(folder / figure))
    rubrics = _constants(_file(folder, "constants.py").decode("utf-8"))
    questions: list[Question] = []
    if "reasoning" in kinds:
        rows = json.loads(_file(folder, "reasoning_val.json"))
        questions += [_reasoning(row, rubrics) for row in rows.values()]
    if "descriptive" in kinds:
        rows = json.loads(_file(folder, "descriptive_val.json"))
        questions += [q for row in rows.values() for q in _descriptive(row, rubrics)]
    return Benchmark(questions, _folder_picture(folder) if folder else _hub_picture())


def _file(folder: Path | None, name: str) -> bytes:
    inside, digest = FILES[name]
    if folder is not None:
        for file in (folder / name, folder / inside / name):
            if file.is_file():
                return file.read_bytes()
    pinned = PinnedFile(f"{REPOSITORY}/{inside}/{name}", digest, "git-blob")
    where = str(folder) if folder else "a folder, named by --env.taskset.path"
    mend = f"put the repository's {inside}/{name} into {where}"
    return fetch(pinned, f"charxiv/{name}", mend=mend)


def _constants(source: str) -> dict[str, Any]:
    """The literals of the benchmark's file of instructions, which is read and never run."""
    found: dict[str, Any] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    missing = INSTRUCTIONS - set(found)
    if missing:
        raise DataError(f"constants.py lacks {', '.join(sorted(missing))}: take it from {COMMIT}")
    return found


def _reasoning(row: Mapping[str, Any], rubrics: Mapping[str, Any]) -> Question:
    category, gold = int(row["inst_category"]), str(row["answer"])
    template = rubrics["REASONING_RESP_INST"][category]
    rule = [_decimals(gold)] if category == 4 else []
    return Question(
        id=f"reasoning-{row['figure_id']}",
        figure=str(row["figure_id"]),
        kind="reasoning",
        number=category,
        text=row["query"],
        prompt=template.format(row["query"], *rule).strip(),
        gold=gold,
        grading=rubrics["REASONING_GRADING_PREFIX"]
        + rubrics["REASONING_GRADING_INST"][category].replace("<|question|>", row["query"]),
    )


def _decimals(gold: str) -> str:
    """The benchmark tells a policy how many decimals its gold answer has."""
    _, point, decimals = gold.partition(".")
    if not point:
        return "* The final answer is an exact integer."
    return f"* The final answer is a number with {len(decimals)} decimal places."


def _descriptive(row: Mapping[str, Any], rubrics: Mapping[str, Any]) -> Iterator[Question]:
    place = row["subplot_loc"]
    if isinstance(place, str):
        where = f"For {place}, "
    elif place[0] == 0:
        where = "For the current plot, "
    else:
        where = f"For the subplot at row {place[0]} and column {place[1]}, "
    for index, (template, gold) in enumerate(zip(row["qids"], row["answers"], strict=True)):
        text = rubrics["DESCRIPTIVE_RESP_INST"][template]
        prompt = text if template in WITHOUT_FIGURE else text.format(where)
        yield Question(
            id=f"descriptive-{row['figure_id']}-{index}",
            figure=str(row["figure_id"]),
            kind="descriptive",
            number=template,
            text=prompt.strip().splitlines()[0],
            prompt=prompt.strip(),
            gold=str(gold),
            grading=_descriptive_grading(template, rubrics),
        )


def _descriptive_grading(template: int, rubrics: Mapping[str, Any]) -> str:
    """For one pair at a time, where the benchmark sends up to five."""
    head = (
        str(rubrics["DESCRIPTIVE_GRADING_PREFIX"])
        .replace("<|NUM_TRIPLETS|>", "1")
        .replace("<|JSON_KEYS|>", "['extract_answer_T1', 'score_T1']")
        .replace("<|OVERARCHING_QUESTION|>", rubrics["DESCRIPTIVE_GRADING_QMAP"][template])
    )
    rule = rubrics["DESCRIPTIVE_GRADING_ICL"][ICL.get(template, "ocr")]
    return f"{head}{rule}T1:\nResponse 1: <|response|>\nGround Truth 1: <|ground_truth|>\n"


def _reachqa(folder: Path) -> Iterator[Question]:
    """ReachQA (arXiv 2410.18798) has no categories: an answer that is one number is graded as a
    number, any other as a text."""
    for row in json.loads(_bytes(folder / "qa.json")):
        gold = str(row["answer"])
        yield Question(
            id=row["data_id"],
            figure=row["image"],
            kind="reasoning",
            number=2 if number(gold) is None else 4,
            text=row["question"],
            prompt=f"{row['question']}\n{ASK}",
            gold=gold,
            grading="",
        )


ASK = 'End the reply with a line "Answer: " and the answer alone.'


def _folder_picture(folder: Path) -> Callable[[str], bytes]:
    def picture(figure: str) -> bytes:
        for place in (folder / "images", folder):
            for suffix in SUFFIXES:
                if (file := place / f"{figure}{suffix}").is_file():
                    return _bytes(file)
        raise DataError(f"no images/{figure}.jpg in {str(folder)!r}: unpack images.zip there")

    return picture


def _hub_picture() -> Callable[[str], bytes]:
    try:
        import datasets
    except ImportError as error:
        raise DataError(
            'the pictures of the hub need the package datasets: pip install "charxiv[hub]", or '
            "name a folder that holds CharXiv's images/ with --env.taskset.path"
        ) from error
    try:
        rows = datasets.load_dataset(HUB_ID, split="validation", revision=HUB_REVISION)
    except Exception as error:  # of many kinds: no network, no such revision, no room
        raise DataError(
            f"{HUB_ID} at {HUB_REVISION[:7]} cannot be read from the hub ({type(error).__name__}: "
            f"{error}): unpack its images.zip, and name that folder with --env.taskset.path"
        ) from error
    missing = {"image", "figure_path"} - set(rows.column_names)
    if missing:
        raise DataError(
            f"{HUB_ID} at {HUB_REVISION[:7]} has no column {', '.join(sorted(missing))}, but "
            f"{', '.join(rows.column_names)}"
        )
    rows = rows.cast_column("image", datasets.Image(decode=False))
    at = {Path(path).stem: index for index, path in enumerate(rows["figure_path"])}

    def picture(figure: str) -> bytes:
        if figure not in at:
            raise DataError(f"{HUB_ID} at {HUB_REVISION[:7]} has no figure {figure}")
        return bytes(rows[at[figure]]["image"]["bytes"])

    return picture


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{str(file)!r} cannot be read: {error.strerror}") from error
