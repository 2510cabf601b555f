"""The instructions, in the system prompt, and what the rewards take from a reply."""

SYSTEM_PROMPT = """\
Solve the problem. Begin your reply with your reasoning inside <think> and </think>. After it, \
write the final answer inside <answer> and </answer>, exactly once, with nothing else inside.

Only what stands inside <answer> counts. Give exact values: fractions and radicals rather than \
decimals, LaTeX where plain text will not do, no units."""

REFERENCE_REPLY = "<think>The reference answer.</think>\n<answer>{answer}</answer>"
"""The reply that must score full marks for a problem."""
