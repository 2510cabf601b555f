"""How many cores this process may use: its affinity and its control groups' limits count."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path


def usable_cores(proc: Path = Path("/proc/self")) -> int:
    """At least 1; half a core over counts as one."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, math.ceil(min([affinity or 1, *_quotas(proc)])))


def _quotas(proc: Path) -> Iterator[float]:
    """The cores that each control group above this process leaves it, versions 1 and 2."""
    try:
        memberships = (proc / "cgroup").read_text().splitlines()
        mounts = (proc / "mountinfo").read_text().splitlines()
    except OSError:
        return  # not Linux
    groups = {}
    for line in memberships:
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            groups["cgroup" if controllers else "cgroup2"] = path
    for line in mounts:
        before, _, after = line.partition(" - ")
        root, point = before.split()[3:5]
        kind, _, options = after.split(" ", 2)
        if kind not in groups or (kind == "cgroup" and "cpu" not in options.split(",")):
            continue
        # Inside a container the mount often begins at its own group: the rest is the way down.
        path = groups[kind]
        folder = Path(point, path.removeprefix(root).lstrip("/") if path.startswith(root) else "")
        for group in (folder, *folder.parents):
            yield from _quota(group)
            if group == Path(point):
                break


def _quota(group: Path) -> Iterator[float]:
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota = (group / "cpu.cfs_quota_us").read_text().strip()
            period = (group / "cpu.cfs_period_us").read_text().strip()
    except OSError:
        return
    if quota not in ("max", "-1"):
        yield int(quota) / int(period)
