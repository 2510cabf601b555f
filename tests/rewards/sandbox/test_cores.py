"""Usable cores: made-up control groups, as machines and containers show them."""

import os

import pytest
from inward_rewards.sandbox import cores
from inward_rewards.sandbox.cores import usable_cores

V2 = "36 25 0:31 {root} {point} rw,nosuid - cgroup2 cgroup2 rw\n"
V1 = (
    "33 32 0:29 {root} {point} rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 32 0:30 / /elsewhere rw,relatime shared:9 - cgroup cgroup rw,memory\n"
)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Makes a /proc/self of 64 cores, whose groups have these files."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64), raising=False)

    def make(groups, mount, files, root="/"):
        point = tmp_path / "cgroup"
        for name, text in files.items():
            (point / name).parent.mkdir(parents=True, exist_ok=True)
            (point / name).write_text(text + "\n")
        (tmp_path / "cgroup.txt").write_text("")
        proc = tmp_path / "proc"
        proc.mkdir()
        (proc / "cgroup").write_text(groups)
        (proc / "mountinfo").write_text(mount.format(root=root, point=point))
        return usable_cores(proc)

    return make


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "max 100000"}, 64),
        ({"cpu.max": "400000 100000"}, 4),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "20000 100000"}, 1),
        ({"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"}, 3),  # the group above counts
        ({"a/cpu.max": "800000 100000", "a/b/cpu.max": "200000 100000"}, 2),
        ({}, 64),
    ],
)
def test_version_2(machine, files, expected):
    assert machine("0::/a/b\n", V2, files) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a/cpu.cfs_quota_us": "-1", "a/cpu.cfs_period_us": "100000"}, 64),
        ({"a/cpu.cfs_quota_us": "250000", "a/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu.cfs_quota_us": "200000", "cpu.cfs_period_us": "50000"}, 4),
    ],
)
def test_version_1(machine, files, expected):
    assert machine("4:memory:/m\n1:cpu,cpuacct:/a\n0::/x\n", V1, files) == expected


def test_a_container_whose_mount_begins_at_its_group(machine):
    files = {"cpu.cfs_quota_us": "200000", "cpu.cfs_period_us": "100000"}
    assert machine("1:cpu:/docker/1f\n", V1, files, root="/docker/1f") == 2


def test_affinity_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 9}, raising=False)
    assert usable_cores(tmp_path) == 3


def test_without_affinity_and_groups(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(cores.os, "cpu_count", lambda: None)
    assert usable_cores(tmp_path) == 1
