"""What the proposer is told."""

from __future__ import annotations

from chart_spec.prompt import BLOCK
from inward_rewards.charts import MAX_SIDE, RULES

from chart_adversary import legibility as gate

TOPICS = (
    "air traffic", "bird migration", "bridge loads", "chess openings", "coffee trade",
    "compiler speed", "crop yields", "dental health", "earthquakes", "election turnout",
    "enzyme activity", "fish stocks", "forest fires", "glacier retreat", "heart rate",
    "hospital waiting times", "household budgets", "language models", "library loans",
    "marathon times", "noise in cities", "ocean temperature", "power grid load", "protein folding",
    "rail punctuality", "rainfall", "reading ability", "rent and wages", "robot grasping",
    "satellite launches", "school meals", "sleep", "soil acidity", "solar panels", "song lengths",
    "speech recognition", "star brightness", "traffic accidents", "vaccination", "water use",
)  # fmt: skip
ASK = "Invent a chart. An idea for its subject, which you need not follow: {topic}."


def system_prompt(low: float, high: float) -> str:
    """The proposer's instructions; `low` and `high` bound the solvers' mean score that is paid."""
    return f"""\
Invent a chart that is hard to copy from its picture. Write it as a Vega-Lite specification with \
inline data. Your answer is one {BLOCK} block with the whole specification; the last such block of \
your reply counts.

Other models see the picture of your chart, and nothing else, and write a specification that draws \
it. Each is scored from 0 to 1 by how well the numbers, the texts and the picture agree with \
yours. Your score is 1 less their mean score, times how new your chart is: 1 less the square of \
the share of its numbers, or of its texts, that the most similar recent chart shows too. Your \
score is 0 where their mean is below {low:g} or above {high:g}, and for a chart that is not easy \
to read:
- It has marks other than text. It is {gate.MIN_SIDE} to {MAX_SIDE} pixels wide and high.
- It shows {gate.MIN_ROWS} to {gate.MAX_ROWS} numbers, at least {gate.MIN_VALUES} different ones. \
Without the fifth of them at either end, those of an axis span at least {gate.MIN_SPREAD:.0%} of it.
- It shows {gate.MIN_TEXTS} to {gate.MAX_TEXTS} texts, at least {gate.MIN_WORDS} with letters, of \
at most {gate.MAX_LENGTH} characters each. They are in Western European letters, Greek where no \
other letter looks like it, and common signs. Names differ in more than case and spaces.
- Numbers and texts, {gate.MIN_AGREEMENT:.0%} of either at least, can be read without effort: \
large, in clear contrast, not covered; axes and legends of numbers have labels of one true number \
each, labels stand where their values are; series are not nearly of one colour; printed numbers \
are those of their marks.
- Your own specification, as an answer to its picture, scores at least {gate.OWN_SCORE:g}.

It is drawn only if it keeps to these rules:
{RULES}"""
