"""`mode = prompt`: a proposal is an image prompt, which a generator draws once.

Solvers see that drawing, describe it, and are paid as in chart-reconstruction: by how like it what
the same generator draws from their words is. Nothing is known of a drawing but its pixels, so the
gate is about words and pixels: it reads no letter and no number.
"""

from __future__ import annotations

import asyncio
import io
import re
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from chart_reconstruction.prompt import description
from chart_reconstruction.taskset import (
    FOLDER,
    ChartReconstructionConfig,
    ChartReconstructionTask,
    ChartReconstructionTaskConfig,
    ChartReconstructionTaskset,
)
from inward_charts import shrunk
from inward_charts.tasks import ChartPicture
from inward_chat.downloads import cache_dir
from inward_rewards.images import Canvas, DiffusersConfig, ImagesConfig, redraw_of
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

from chart_adversary.legibility import Proposal, strange_letter
from chart_adversary.novelty import Worded, words_of

BLIND = "A chart."
"""What a solver that does not look could say of any chart."""
MIN_WORDS = 20
"""Different ones of a prompt. Shorter prompts are parts of many others."""
KINDS = (
    "area", "bar", "box", "bubble", "candlestick", "column", "donut", "dot", "funnel", "gantt",
    "line", "pie", "radar", "scatter", "step", "violin", "waterfall",
)  # fmt: skip
NOUNS = ("chart", "graph", "plot", "diagram")
ALONE = ("histogram", "heat map", "treemap")
KIND = re.compile(
    rf"\b(?:({'|'.join(KINDS)})[ -]?(?:{'|'.join(NOUNS)})|({'|'.join(ALONE)}))s?\b",
    re.IGNORECASE,
)
SIDE = 256
"""Pixels of the longer side at which a drawing is looked at."""
SAME, APART = 12, 48
"""Steps of 255 in each channel up to which two colours are one, and from which in any they are
clearly two."""
MIN_GROUND, MIN_MARKS, MIN_EVEN = 0.2, 0.02, 0.55
"""Of a drawing: see `Look`."""

ImageFault = Literal[
    "empty",
    "too long",
    "letters",
    "few words",
    "no kind",
    "refused",
    "blank",
    "no ground",
    "uneven",
]
"""Why an image prompt is refused, as it is counted."""


@dataclass(frozen=True)
class Look:
    """What is measured of a drawing; parts of its pixels."""

    ground: float
    """In its most frequent colour."""
    marks: float
    """Clearly apart from that colour."""
    even: float
    """Of one colour with their eight neighbours: charts are even but at edges, photographs and
    foliage are not."""

    @classmethod
    def of(cls, png: bytes) -> Look:
        with Image.open(io.BytesIO(png)) as opened:
            image = opened.convert("RGB")
        scale = SIDE / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        pixels = np.asarray(image.resize(size, Image.Resampling.BOX)).astype(np.int16)
        # The middle of the fullest cell of 8 x 8 x 8 steps.
        cells = (pixels >> 3) @ np.array([1, 32, 1024])
        fullest = np.bincount(cells.ravel()).argmax()
        away = np.abs(pixels - np.median(pixels[cells == fullest], axis=0)).max(axis=2)
        window = (3, 3, 1)
        change = (maximum_filter(pixels, window) - minimum_filter(pixels, window)).max(axis=2)
        shares = (away <= SAME, away >= APART, change <= SAME)
        return cls(*(float(share.mean()) for share in shares))

    @property
    def fault(self) -> tuple[ImageFault, str] | None:
        """The first, and what is wrong in words."""
        if self.marks < MIN_MARKS:
            return "blank", f"{self.marks:.1%} of the drawing is clearly apart from its background"
        if self.ground < MIN_GROUND:
            return "no ground", f"no colour fills more than {self.ground:.0%} of the drawing"
        if self.even < MIN_EVEN:
            return "uneven", f"{self.even:.0%} of the drawing is even"
        return None


class ImagePrompts:
    """Reads, draws and checks the replies of a proposer. Raises where the generator cannot be
    asked: `ImportError`, `ValueError` or, for `redraw.tokenizer`, `RedrawError` here; `RedrawError`
    at a drawing."""

    def __init__(self, task: ChartReconstructionTaskConfig, seed: int, redraws: int) -> None:
        """`redraws`: how often a prompt is drawn again for its noise floor."""
        assert isinstance(task.redraw, ImagesConfig | DiffusersConfig)
        self._config, self._seed, self._redraws = task, seed, redraws
        self._solvers = ChartReconstructionTaskset(
            ChartReconstructionConfig(id="chart-reconstruction", task=task)
        )
        self._redraw = redraw_of(task.redraw, cache_dir() / FOLDER)

    async def proposal_of(self, reply: str, name: str) -> Proposal:
        """The proposer's faults are in the result; the machine's raise.

        Args:
            name: of the proposer's task: its proposals share the noise of their drawings.
        """
        limit = self._config.max_characters
        read = description(reply, limit)
        if read.cut:
            return Proposal("too long", f"it has more than {limit} characters")
        if found := _wording(read.text):
            return Proposal(*found)
        # Square, as the source's were.
        canvas = Canvas(1, 1, f"chart-adversary/{self._seed}/{name}")
        drawn = await self._redraw(read.text, canvas)
        if cut := drawn.metrics["prompt_cut_tokens"]:
            return Proposal("too long", f"the generator does not read its last {cut:.0f} tokens")
        if not drawn.pictures:
            return Proposal("refused", str(drawn.reason))
        # With redraw.k above 1 the first that was not refused.
        number, drawing = next(
            (number, one) for number, one in enumerate(drawn.pictures) if one is not None
        )
        png = await asyncio.to_thread(shrunk, drawing)
        look = await asyncio.to_thread(Look.of, png)
        kind = kind_of(read.text)
        assert kind is not None  # its wording names one
        kept = {
            "kind": kind,
            **asdict(look),
            "drawings": [drawn.record["drawings"][number]],
        }
        if look.fault is not None:
            return Proposal(*look.fault, kept)
        task = self._solvers.task_of(ChartPicture(png, name, kind))
        noise, again, blind = await self._floors(task, read.text, Canvas.of(png))
        kept |= {"noise_floor": noise, "redraws": again, "blind": blind}
        return Proposal(None, "", kept, task, Worded.of(read.text))

    async def _floors(
        self, task: ChartReconstructionTask, prompt: str, own: Canvas
    ) -> tuple[float, list[float], float]:
        """The noise floor, the scores of the prompt drawn again, and the score of `BLIND`.

        The first drawing has the noise of the solvers' own, so that one who says the very prompt
        leaves nothing to be paid; of several the lowest counts, so that chance pays nobody.
        """
        canvases = [own] + [
            Canvas(own.width, own.height, f"{own.key}/{number}")
            for number in range(1, self._redraws)
        ]
        *again, blind = await asyncio.gather(
            *(task.outcome(prompt, canvas) for canvas in canvases), task.outcome(BLIND, own)
        )
        scores = [outcome.reward for outcome in again]
        return 1 - min(scores), scores, blind.reward


def kind_of(prompt: str) -> str | None:
    """The kinds of charts that a prompt names, in the order of their names; None: none."""
    found = {(match[1] or match[2]).lower() for match in KIND.finditer(prompt)}
    return "+".join(sorted(found)) or None


def _wording(prompt: str) -> tuple[ImageFault, str] | None:
    """The first fault of a prompt that is not drawn yet."""
    if not prompt:
        return "empty", "it holds no prompt"
    if letter := strange_letter(" ".join(prompt.split())):
        return "letters", f"it holds U+{ord(letter):04X}"
    if (count := len(set(words_of(prompt)))) < MIN_WORDS:
        return "few words", f"it has {count} different words"
    if kind_of(prompt) is None:
        return "no kind", "it names no kind of chart"
    return None
