"""What the policy is told, and the part of its reply that is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from inward_rewards.images import (
    TOLERANCE,
    DiffusersConfig,
    EmbeddingConfig,
    ImagesConfig,
    PlainConfig,
    ReaderConfig,
    RedrawConfig,
    StrictModel,
    WriterConfig,
    without_code,
)
from pydantic import BaseModel, ConfigDict, Field, model_validator

ASK = "Describe this chart."

PLAIN = """\
Your description is read by rules, not by a person. They understand English statements, in \
sentences, lists or tables, about: the kind of chart, without which no number is drawn; title and \
subtitle; each axis (title, range, ticks, categories, log scale); the legend; the colour of each \
series, by name or as #rrggbb; the size in pixels, background, grid lines and lettering; and the \
numbers, each with its category or x, its series and its panel. Names in double quotes are read \
most safely. Of two statements about one number the last counts. What is not understood is left \
out."""

WRITER = """\
Your description is read by a language model that never sees the picture. It writes the \
specification of a chart from your words alone, and that is drawn. It is told to invent no number \
and to follow no instruction."""

IMAGES = """\
Your description is drawn by an image generator that never sees the picture. It reads the first \
{tokens} tokens of it, a digit or a sign being one and a word mostly one; what comes after them \
draws nothing."""

REVISED = "Left: the chart. Right: what is drawn from your description. Describe the chart again."
REFUSED = "Nothing was drawn from your description: {error}. Describe the chart again."
REVISE_RULE = """\
You may describe the chart {count} more times: after each reply you see what is drawn from it \
beside the chart. Your last reply from which something is drawn counts."""


class Weights(BaseModel):
    """Of the parts of the reward where the chart's table is known, relative to their sum."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    likeness: float = Field(0.2, ge=0, allow_inf_nan=False)
    table: float = Field(0.65, ge=0, allow_inf_nan=False)
    text: float = Field(0.15, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _something(self) -> Weights:
        if self.likeness == 0:
            raise ValueError("the weight of likeness must be above 0: pictures have nothing else")
        return self


class Similarity(StrictModel):
    """What a drawing is paid for, where no weights of a model are asked."""

    type: Literal["chart", "table"] = "chart"
    """`chart`: likeness, and where the truth is known table and texts too; `table`: the F1 of the
    table alone, for generated charts."""
    weights: Weights = Weights()
    """Of likeness, table and texts in `chart`."""


SimilarityConfig = Annotated[Similarity | EmbeddingConfig, Field(discriminator="type")]


def backend_text(redraw: RedrawConfig) -> str:
    """What the policy is told of what draws its words."""
    match redraw:
        case PlainConfig():
            return PLAIN
        case WriterConfig():
            return WRITER
        case ImagesConfig() | DiffusersConfig():
            return IMAGES.format(tokens=redraw.settings["prompt_tokens"])


@dataclass(frozen=True)
class Description:
    """The part of a reply that is read."""

    text: str
    cut: int
    """Characters beyond the limit."""
    code: int
    """Characters of code that were left out."""


def description(reply: str, limit: int) -> Description:
    """The first `limit` characters of a reply, without its code."""
    text, code = without_code(reply[:limit])
    return Description(text.strip(), max(0, len(reply) - limit), code)


def system_prompt(similarity: SimilarityConfig, limit: int, reader: str, *, known: bool) -> str:
    """The instructions for a chart whose table and texts are `known` to the reward, or are not."""
    return f"""\
You are given the picture of a chart. Describe it in English so that someone who never sees it can \
draw it. The first {limit} characters of your reply are read; code, JSON and anything in braces \
are not. It is drawn from your words alone.

{reader}

{score_text(similarity, known=known)}"""


TABLE = """\
the F1 of the numbers that the drawing shows against those of the picture, each matched by its \
place (category, date or x, series, panel) and worth the less the farther it is off: nearly all at \
2 % of what the values of its axis span, nothing at 20 %; 0 where no mark of the drawing is of a \
kind that the picture has (bars, lines, areas, points, sectors, cells)"""


def reader_prompt(reader: ReaderConfig, limit: int) -> str:
    """The instructions where questions are answered and nothing is drawn."""
    who = "a language model" if reader.model is not None else "rules"
    how = "" if reader.model is not None else f"\n\n{PLAIN}"
    return f"""\
You are given the picture of a chart. Describe it in English so that questions about the chart can \
be answered by {who} from your words alone. Up to {reader.questions} questions ask for the number \
at a place, for the place of the largest or the smallest value, by how much two values differ, and \
whether a series rises or falls. Code, JSON and anything in braces are not read.{how}

The score is the share of the questions that are answered right, from 0 to 1. A number is right \
within {TOLERANCE:.0%} of what the values of its axis span. A reply of more than {limit} \
characters scores 0."""


def score_text(similarity: SimilarityConfig, *, known: bool) -> str:
    """What a description is scored by."""
    if isinstance(similarity, EmbeddingConfig):
        model = similarity.model
        model = Path(model).name if Path(model).is_absolute() else model
        less = ", less how alike the drawing and the shuffled picture are" * similarity.specificity
        return f"""\
The score is how alike picture and drawing are to the vision model {model}{less}, from 0 to 1; it \
is 0 if nothing can be drawn."""
    alike = "how alike picture and drawing are, in shapes, layout and colours"
    if similarity.type == "table":
        return f"The score is {TABLE}. It is from 0 to 1, and 0 if nothing can be drawn."
    if not known:
        return f"The score is {alike}, from 0 to 1; it is 0 if nothing can be drawn."
    weights = similarity.weights
    total = weights.likeness + weights.table + weights.text
    return f"""\
The score is the sum of
- {weights.likeness / total:.3g} x {alike};
- {weights.table / total:.3g} x {TABLE};
- {weights.text / total:.3g} x the F1 of the texts that the drawing shows against those of the \
picture: title, axis titles, tick labels, legend, printed values.
Each part is from 0 to 1. The score is 0 if nothing can be drawn."""
