"""What the proposer is told."""

from __future__ import annotations

from chart_reconstruction.prompt import score_text
from chart_reconstruction.taskset import ChartReconstructionTaskConfig
from chart_spec.prompt import BLOCK
from inward_rewards.charts import MAX_SIDE, RULES
from inward_rewards.images import DiffusersConfig, ImagesConfig

from chart_adversary import image_prompt as images
from chart_adversary import legibility as gate
from chart_adversary import novelty

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
LETTERS = (
    "the letters and signs of Latin-1, and these: "
    f"{''.join(gate.SIGNS.split())}; no bullets, arrows or emoji"
)
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
the share of its numbers, or of its texts, whichever is larger, that the most similar recent chart \
shows too. Your score is 0 where their mean is below {low:g} or above {high:g}, and for a chart \
that is not easy to read:
- It has marks other than text. It is {gate.MIN_SIDE} to {MAX_SIDE} pixels wide and high.
- It shows {gate.MIN_ROWS} to {gate.MAX_ROWS} numbers, at least {gate.MIN_VALUES} different ones. \
Without the fifth of them at either end, those of an axis span at least {gate.MIN_SPREAD:.0%} of it.
- It shows {gate.MIN_TEXTS} to {gate.MAX_TEXTS} texts, at least {gate.MIN_WORDS} with letters, of \
at most {gate.MAX_LENGTH} characters each. They are in {LETTERS}. Names differ in more than case \
and spaces, and in more than which of I, l, 1 and |, or of O and 0, they have.
- Numbers and texts, {gate.MIN_AGREEMENT:.0%} of either at least, can be read without effort: \
large, in clear contrast, not covered; axes and legends of numbers have labels of one true number \
each, labels stand where their values are; series are not nearly of one colour; printed numbers \
are those of their marks.
- Your own specification, as an answer to its picture, scores at least {gate.OWN_SCORE:g}.

It is drawn only if it keeps to these rules:
{RULES}"""


def image_system_prompt(task: ChartReconstructionTaskConfig, low: float, high: float) -> str:
    """The same where an image generator draws; `task` is the solvers'."""
    assert isinstance(task.redraw, ImagesConfig | DiffusersConfig)
    tokens = task.redraw.settings["prompt_tokens"]
    by_rule = isinstance(task.redraw, ImagesConfig) and task.redraw.tokenizer is None
    word = "a word one for each five letters" if by_rule else "a word mostly one"
    return f"""\
Invent a chart whose picture is hard to describe. Write the prompt with which an image generator \
draws it. Your whole reply is the prompt, but for code, JSON and anything in braces, which are not \
read.

Other models see the picture that is drawn, and nothing else, and describe it in words. The same \
generator draws their words. {score_text(task.similarity, known=False)} Your prompt is drawn again \
too, with other noise, and scored in the same way; the lowest of these scores is what the \
generator can reach.

Your score is that lowest score less the mean score of the other models, never below 0, times how \
new your prompt is: 1 less the square of the share of different words that it has in common with \
the most similar recent prompt, or of the runs of {novelty.RUN} words that the shorter of the two \
shares with the other, whichever is larger. Numbers do not make it new. Your score is 0 where \
their mean is below {low:g}, above {high:g}, or not above what the words "{images.BLIND}" score; \
where the generator refuses your prompt; and where these rules are not kept:
- The prompt has at least {images.MIN_WORDS} different words and at most {tokens:.0f} tokens, a \
digit or a sign being one and {word}. Your whole reply has at most {task.max_characters} \
characters, what is not read included. The prompt is in {LETTERS}.
- It names the kind of chart, as one of these words with {", ".join(images.NOUNS[:-1])} or \
{images.NOUNS[-1]} behind it: {", ".join(images.KINDS)}; or as {", ".join(images.ALONE[:-1])} or \
{images.ALONE[-1]}.
- One colour fills at least {images.MIN_GROUND:.0%} of the picture, and at least \
{images.MIN_MARKS:.0%} of it are clearly apart from that colour.
- At least {images.MIN_EVEN:.0%} of the picture are even: flat colours, no photograph, no \
texture."""
