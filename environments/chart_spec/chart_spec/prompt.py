"""What the policy is told, and how its reply is read."""

from __future__ import annotations

from inward_rewards.charts import RULES, RenderError
from pydantic import BaseModel, ConfigDict, Field, model_validator

FENCE = "```"
BLOCK = f"{FENCE}json"

ASK = "Write the Vega-Lite specification that draws this chart."

INSTRUCTIONS = f"""\
You are given the picture of a chart. Write a Vega-Lite specification with inline data that draws \
this chart. Your answer is one {BLOCK} block with the whole specification; the last such block of \
your reply counts."""

REVISED = "Left: the chart. Right: what your specification draws. Write a better specification."
REFUSED = "Your specification was not drawn: {error}. Write one that is."
REVISE_RULE = """\
You may revise your answer {count} times: after each reply you see what it draws beside the chart. \
Your last reply whose specification is drawn counts."""


class Weights(BaseModel):
    """Of the three parts of the reward, relative to their sum."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    similarity: float = Field(0.2, ge=0, allow_inf_nan=False)
    table: float = Field(0.65, ge=0, allow_inf_nan=False)
    text: float = Field(0.15, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _something(self) -> Weights:
        if self.similarity == 0:
            raise ValueError("the weight of similarity must be above 0: pictures have nothing else")
        return self


def system_prompt(weights: Weights, *, known: bool) -> str:
    """The instructions for a chart whose table and text are `known` to the reward, or are not."""
    alike = "how alike the two pictures are, in shapes, layout and colours"
    if not known:
        score = f"The score is {alike}, from 0 to 1; it is 0 if the specification is not drawn."
    else:
        total = weights.similarity + weights.table + weights.text
        score = f"""\
The score is the sum of
- {weights.similarity / total:.3g} x {alike};
- {weights.table / total:.3g} x the F1 of the numbers that your chart shows against those of the \
picture, each matched by its place (category, date or x, series, panel) and worth the less the \
farther it is off: nearly all at 2 % of what the values of its axis span, nothing at 20 %; a \
sector of a circle counts as its part of the whole;
- {weights.text / total:.3g} x the F1 of the texts that your chart shows against those of the \
picture: title, axis titles, tick labels, legend, printed values.
Each part is from 0 to 1. Only what can be seen counts as shown: not what is covered, clipped, off \
the picture, transparent, in the colour of its background, too small, or squeezed by its scale \
until its value cannot be told. The score is 0 if the specification is not drawn."""
    return f"""\
{INSTRUCTIONS}

{score}

It is drawn only if it keeps to these rules:
{RULES}"""


def last_block(reply: str) -> str:
    """The last JSON block of a reply. Raises `RenderError` where it has none."""
    start = reply.rfind(BLOCK)
    if start < 0:
        raise RenderError(f"the reply holds no {BLOCK} block")
    body, closed, _ = reply[start + len(BLOCK) :].partition(FENCE)
    if not closed:
        raise RenderError(f"the last {BLOCK} block of the reply is not closed")
    return body
