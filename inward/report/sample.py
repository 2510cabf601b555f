"""Which rollouts a report shows where not all of them fit into its file.

The rule: all failures; then of each task the best and the worst; then a random rest, one of each
task in turn. The choice is by the rollouts' ids, so the same run gives the same report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from inward.report.rows import Row

RULE = (
    "all failures, then the best and the worst rollout of each task, then a random rest, one of"
    " each task in turn"
)


def by_priority(rows: Sequence[Row]) -> Iterator[Row]:
    """All rows, what must not be missed first."""
    tasks: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.status == "scored":
            tasks[row.section, row.task].append(row)
        else:
            yield row
    rest: list[list[Row]] = []
    for members in tasks.values():
        ranked = sorted(members, key=lambda row: (row.reward or 0.0, row.rank))
        ends = ranked[:1] if len(ranked) == 1 else [ranked[-1], ranked[0]]
        yield from ends
        rest.append(sorted(ranked[1:-1], key=lambda row: row.rank))
    for turn in zip_longest(*rest):
        yield from (row for row in turn if row is not None)
