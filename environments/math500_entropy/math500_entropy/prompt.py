"""The instructions, in the system prompt, and what the rewards take from a reply."""

from inward_rewards.formats import Layout

INSTRUCTIONS: dict[Layout, str] = {
    "tags": """\
Solve the problem. Begin your reply with your reasoning inside <think> and </think>. After it, \
write the final answer inside <answer> and </answer>, exactly once, with nothing else inside.

Only what stands inside <answer> counts. """,
    "boxed": """\
Solve the problem. Begin your reply with your reasoning. After it, write the final answer inside \
\\boxed{}, exactly once, with nothing else inside.

Only what stands inside \\boxed{} counts. """,
}
EXACT = """\
Give exact values: fractions and radicals rather than decimals, LaTeX where plain text will not \
do, no units."""
REPLY: dict[Layout, str] = {
    "tags": "<think>{thought}</think>\n<answer>{answer}</answer>",
    "boxed": "{thought}\n\\boxed{{{answer}}}",
}
EXAMPLE = "What is $17 \\cdot 23$?", "17 times 20 is 340, and 17 times 3 is 51: 391 in all.", "391"


def in_layout(layout: Layout, answer: object, thought: str = "The reference answer.") -> str:
    """A reply in the layout: with the gold answer, the one that must score full marks."""
    return REPLY[layout].format(thought=thought, answer=answer)


def system_prompt(layout: Layout = "tags", worked_example: bool = False) -> str:
    problem, thought, answer = EXAMPLE
    example = f"\n\nFor example, to the problem\n\n{problem}\n\nreply\n\n"
    shown = example + in_layout(layout, answer, thought) if worked_example else ""
    return INSTRUCTIONS[layout] + EXACT + shown
