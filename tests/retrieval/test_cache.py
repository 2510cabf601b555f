"""The index cache: never stale, built once, mended with one warning."""

import errno
import importlib.util
import json
import os
import runpy
import shutil
import stat
import subprocess
import sys
from inspect import signature
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from filelock import FileLock
from inward_retrieval import Bm25Config, build_retriever
from inward_retrieval import cache_dir as cache_dir_module
from inward_retrieval.cache import IndexCache, corpus_digest

DOCUMENTS = {"a": "The sailor mended nets. A storm came.", "b": "Ice lay in the crater."}
KEY = {"corpus": "c"}
ARRAYS = {"numbers": np.arange(12, dtype=np.int64).reshape(3, 4), "none": np.zeros(0, np.float32)}


def build():
    return ARRAYS


def never():
    raise AssertionError("built again")


@pytest.fixture
def cache(tmp_path):
    return IndexCache(tmp_path / "indexes")


def entry_of(cache):
    [entry] = [path for path in cache.root.iterdir() if path.name.startswith("things-")]
    return entry


def assert_right(arrays):
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert np.array_equal(arrays[name], array)


def test_what_was_built_is_found_again(cache):
    assert_right(cache.load_or_build("things", KEY, build))
    arrays = cache.load_or_build("things", KEY, never)
    assert_right(arrays)
    with pytest.raises(ValueError, match="read-only"):
        arrays["numbers"][0, 0] = 7


def test_another_kind_or_key_is_another_index(cache):
    cache.load_or_build("things", KEY, build)
    for kind, key in (("others", KEY), ("things", {"corpus": "d"}), ("things", {})):
        with pytest.raises(AssertionError, match="built again"):
            cache.load_or_build(kind, key, never)


def truncate(entry):
    file = entry / "numbers.npy"
    file.write_bytes(file.read_bytes()[:-9])


def flip_a_byte(entry):
    data = bytearray((entry / "numbers.npy").read_bytes())
    data[-5] ^= 1
    (entry / "numbers.npy").write_bytes(data)


def lose_an_array(entry):
    (entry / "numbers.npy").unlink()


def lose_the_manifest(entry):
    (entry / "manifest.json").unlink()


def cut_the_manifest(entry):
    file = entry / "manifest.json"
    file.write_text(file.read_text()[:-20])


def strange_manifest(entry):
    (entry / "manifest.json").write_text("[1, 2]")


def another_key(entry):
    manifest = json.loads((entry / "manifest.json").read_text())
    manifest["key"]["corpus"] = "d"
    (entry / "manifest.json").write_text(json.dumps(manifest))


def pickled(entry):
    np.save(entry / "numbers.npy", np.array([{}], dtype=object), allow_pickle=True)


def a_foreign_file(entry):
    entry.rename(entry.with_name("gone"))
    entry.write_text("mine")


def a_foreign_folder(entry):
    entry.rename(entry.with_name("gone"))
    (entry / "photos").mkdir(parents=True)


def a_dangling_link(entry):
    entry.rename(entry.with_name("gone"))
    entry.symlink_to("nowhere")


DAMAGES = [
    truncate,
    flip_a_byte,
    lose_an_array,
    lose_the_manifest,
    cut_the_manifest,
    strange_manifest,
    another_key,
    pickled,
    a_foreign_file,
    a_foreign_folder,
    a_dangling_link,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_is_mended_with_one_warning(cache, caplog, damage):
    cache.load_or_build("things", KEY, build)
    damage(entry_of(cache))
    assert_right(cache.load_or_build("things", KEY, build))
    [warning] = caplog.records
    assert warning.levelname == "WARNING"
    assert "building it again" in warning.getMessage()
    assert_right(cache.load_or_build("things", KEY, never))
    assert len(caplog.records) == 1


def test_a_build_that_fails_leaves_nothing(cache):
    def fail():
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        cache.load_or_build("things", KEY, fail)
    assert cache.entries() == []
    assert_right(cache.load_or_build("things", KEY, build))


def test_what_a_killed_process_left_is_swept_up(cache):
    cache.load_or_build("things", KEY, build)
    entry = entry_of(cache)
    half = entry.with_name(f"{entry.name}.abc")
    entry.rename(half)
    (half / "manifest.json").unlink()
    assert_right(cache.load_or_build("things", KEY, build))
    assert [path.name for path in cache.root.iterdir() if "." in path.name[1:]] == []


BUILDER = """
import sys, time
from pathlib import Path
import numpy as np
from inward_retrieval.cache import IndexCache

folder = Path(sys.argv[1])

def build():
    with (folder / "builds").open("a") as log:
        log.write("built\\n")
    time.sleep(0.5)  # long enough for the others to come and wait
    return {"numbers": np.arange(100_000)}

(folder / f"ready-{sys.argv[2]}").touch()
while not (folder / "go").exists():
    time.sleep(0.01)
arrays = IndexCache(folder / "indexes").load_or_build("things", {}, build)
print(int(arrays["numbers"].sum()))
"""


def test_eight_processes_build_once(tmp_path):
    command = [sys.executable, "-c", BUILDER, str(tmp_path)]
    processes = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True)
        for number in range(8)
    ]
    try:
        while len(list(tmp_path.glob("ready-*"))) < 8:
            assert all(process.poll() is None for process in processes)
        (tmp_path / "go").touch()
        outputs = [process.communicate(timeout=120)[0].strip() for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert outputs == [str(sum(range(100_000)))] * 8
    assert (tmp_path / "builds").read_text().splitlines() == ["built"]


def kinds(folder):
    return sorted(entry.name.split("-")[0] for entry in IndexCache(folder / "retrieval").entries())


async def test_a_retriever_from_the_cache_finds_the_same(cache_dir):
    cold = build_retriever(DOCUMENTS, Bm25Config())
    assert kinds(cache_dir) == ["bm25", "chunks"]
    warm = build_retriever(DOCUMENTS, Bm25Config())
    assert kinds(cache_dir) == ["bm25", "chunks"]
    for query in ("sailor nets", "storms", "ICE"):
        for document in DOCUMENTS:
            assert await warm.search(document, query, 9) == await cold.search(document, query, 9)
    assert warm.chunks("a") == cold.chunks("a")


@pytest.mark.parametrize(
    ("documents", "config", "expected"),
    [
        (DOCUMENTS, Bm25Config(k1=1.2), ["bm25", "bm25", "chunks"]),
        (DOCUMENTS, Bm25Config(b=0.5), ["bm25", "bm25", "chunks"]),
        (DOCUMENTS, Bm25Config(chunk_words=3), ["bm25", "bm25", "chunks", "chunks"]),
        (DOCUMENTS, Bm25Config(chunk_overlap=1), ["bm25", "bm25", "chunks", "chunks"]),
        ({**DOCUMENTS, "b": "Ice lay there."}, Bm25Config(), ["bm25", "bm25", "chunks", "chunks"]),
        (dict(reversed(DOCUMENTS.items())), Bm25Config(), ["bm25", "bm25", "chunks", "chunks"]),
    ],
)
def test_what_changes_an_index_makes_a_new_one(cache_dir, documents, config, expected):
    build_retriever(DOCUMENTS, Bm25Config())
    build_retriever(documents, config)
    assert kinds(cache_dir) == expected


def test_no_cache_writes_nothing(cache_dir):
    build_retriever(DOCUMENTS, Bm25Config(cache=False))
    assert not cache_dir.exists()


def test_texts_cannot_be_shifted_between_documents():
    digests = {
        corpus_digest(documents)
        for documents in ({"a": "bc"}, {"ab": "c"}, {"a": "b", "c": ""}, {"a": "", "b": "c"})
    }
    assert len(digests) == 4


def a_file_in_its_place(root):
    root.parent.mkdir(parents=True)
    root.write_text("a file, not a folder")


def a_file_above(root):
    root.parent.write_text("a file, not a folder")


def a_file_for_the_locks(root):
    root.mkdir(parents=True)
    (root / ".locks").write_text("")


def a_folder_for_each_lock(root):
    for kind in ("chunks", "bm25"):
        for name in entry_names(kind):
            (root / ".locks" / f"{name}.lock").mkdir(parents=True)


def no_locks(root, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FileLock, "acquire", refuse)


def a_full_disk(root, monkeypatch):
    def full(file, array, **kwargs):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "save", full)


def nothing_that_is_read_back(root, monkeypatch):
    monkeypatch.setattr(np, "load", lambda *args, **kwargs: np.zeros(1))


def somebody_elses(root, monkeypatch):
    def refuse(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)


def entry_names(kind):
    """Of the entries that a retriever of DOCUMENTS makes."""
    cache = IndexCache.default()
    elsewhere = cache.root.parent.with_name("elsewhere")
    with patch.dict(os.environ, INWARD_CACHE_DIR=str(elsewhere)):
        build_retriever(DOCUMENTS, Bm25Config())
        entries = IndexCache.default().entries()
    return [entry.name for entry in entries if entry.name.startswith(f"{kind}-")]


UNUSABLE = [
    a_file_in_its_place,
    a_file_above,
    a_file_for_the_locks,
    a_folder_for_each_lock,
    no_locks,
    a_full_disk,
    nothing_that_is_read_back,
    somebody_elses,
]


@pytest.mark.parametrize("spoil", UNUSABLE, ids=lambda spoil: spoil.__name__)
async def test_a_cache_that_cannot_be_used_costs_one_warning(cache_dir, monkeypatch, caplog, spoil):
    expected = build_retriever(DOCUMENTS, Bm25Config(cache=False))
    root = cache_dir / "retrieval"
    spoil(*(root, monkeypatch)[: len(signature(spoil).parameters)])
    for words in (150, 3, 150):
        retriever = build_retriever(DOCUMENTS, Bm25Config(chunk_words=words))
    found = await retriever.search("a", "sailor nets", 9)
    assert found == await expected.search("a", "sailor nets", 9)
    [warning] = caplog.records
    assert warning.levelname == "WARNING"
    assert "\n" not in warning.getMessage()
    for part in (str(root), "built in memory", "INWARD_CACHE_DIR", "set cache to false"):
        assert part in warning.getMessage()
    if root.is_dir():
        assert [path.name for path in root.iterdir() if "." in path.name[1:]] == []


UNPRIVILEGED = """
import os
from inward_retrieval import Bm25Config, build_retriever
documents = {"a": "The sailor mended nets."}
build_retriever(documents, Bm25Config(cache=False))  # imports what is ours alone to read
if os.geteuid() == 0:
    os.seteuid(65534)
build_retriever(documents, Bm25Config())
"""


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read-only", "not to be entered"])
def test_a_folder_of_somebody_else(tmp_path, mode):
    for folder in (tmp_path, *tmp_path.parents[:2]):
        if os.geteuid() == 0:
            folder.chmod(folder.stat().st_mode | 0o111)
    root = tmp_path / "theirs" / "retrieval"
    build_elsewhere(root)
    root.chmod(mode)
    done = run_script(UNPRIVILEGED, INWARD_CACHE_DIR=str(root.parent))
    root.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("index cache") == 1
    assert "Permission denied" in done.stderr


LITTLE_ROOM = """
import resource
from inward_retrieval import Bm25Config, build_retriever
documents = {"a": "The sailor mended nets. " * 99}
build_retriever(documents, Bm25Config(cache=False))
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
build_retriever(documents, Bm25Config(chunk_words=8))
"""


def test_a_limit_on_files(tmp_path):
    done = run_script(LITTLE_ROOM, INWARD_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("index cache: cannot use") == 1
    assert list(tmp_path.rglob("*.npy")) == []


def run_script(script, **environment):
    return subprocess.run(
        [sys.executable, "-B", "-c", script],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def build_elsewhere(root):
    """Indexes of other documents, so that the folder is in use."""
    with patch.dict(os.environ, INWARD_CACHE_DIR=str(root.parent)):
        build_retriever(DOCUMENTS, Bm25Config())


def test_a_build_that_fails_is_no_fault_of_the_cache(cache, caplog):
    def fail():
        raise OSError("the server is gone")

    with pytest.raises(OSError, match="the server is gone"):
        cache.load_or_build("things", KEY, fail)
    assert caplog.records == []


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077])
def test_folders_follow_the_umask(cache, mask):
    before = os.umask(mask)
    try:
        cache.load_or_build("things", KEY, build)
    finally:
        os.umask(before)
    entry = entry_of(cache)
    assert stat.S_IMODE(entry.stat().st_mode) == 0o777 & ~mask
    assert stat.S_IMODE((entry / "numbers.npy").stat().st_mode) == 0o666 & ~mask


def test_list_and_clear(cache):
    cache.load_or_build("things", KEY, build)
    (cache.root / "stray").write_text("not ours")
    (cache.root / "things-notes").mkdir()
    damaged = cache.root / f"things-{'0' * 32}.abc"
    damaged.mkdir()
    half, things, stray, notes = sorted(cache.entries(), key=lambda entry: entry.foreign)
    assert things.key == {"kind": "things", "library": "0.1", "corpus": "c"}
    assert things.size >= 12 * 8
    assert (stray.name, stray.size, stray.key, stray.foreign) == ("stray", 8, {}, True)
    assert (half.name, half.key, half.foreign) == (damaged.name, {}, False)
    assert cache.clear() == ([half, things], [stray, notes])
    assert cache.entries() == [stray, notes]


def test_nothing_is_cleared_where_no_index_was_written(tmp_path):
    """INWARD_CACHE_DIR=. in a checkout: its retrieval/ is no cache, whatever is called what."""
    root = tmp_path / "retrieval"
    ours_by_name = root / f"bm25-{'0' * 32}"
    ours_by_name.mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project]")
    removed, left = IndexCache(root).clear()
    assert removed == []
    assert [(entry.name, entry.foreign) for entry in left] == [
        (ours_by_name.name, True),
        ("pyproject.toml", True),
    ]
    assert sorted(path.name for path in root.iterdir()) == [ours_by_name.name, "pyproject.toml"]


def test_listing_survives_what_vanishes_meanwhile(cache, monkeypatch):
    cache.load_or_build("things", KEY, build)
    cache.load_or_build("others", KEY, build)
    gone = entry_of(cache)
    iterdir = Path.iterdir

    def and_then_it_goes(path):
        yield from list(iterdir(path))
        if path == cache.root:
            shutil.rmtree(gone)

    monkeypatch.setattr(Path, "iterdir", and_then_it_goes)
    assert [entry.name.split("-")[0] for entry in cache.entries()] == ["others"]


def test_clear_leaves_what_is_being_built(cache):
    mapped = cache.load_or_build("things", KEY, build)
    [entry] = cache.entries()
    with FileLock(cache.root / ".locks" / f"{entry.name}.lock"):
        assert cache.clear() == ([], [entry])
    assert cache.clear() == ([entry], [])
    assert_right(mapped)  # what is mapped stays readable


def test_the_cache_goes_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("INWARD_CACHE_DIR", str(tmp_path))
    assert IndexCache.default().root == tmp_path / "retrieval"
    monkeypatch.delenv("INWARD_CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "xdg"))
    assert IndexCache.default().root.is_relative_to(tmp_path / "home")


@pytest.mark.parametrize("module", ["inward_retrieval/cache_dir.py", "inward_chat/downloads.py"])
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (".", "{cwd}"),
        ("mine/../here", "{cwd}/here"),
        ("~/caches", "{home}/caches"),
        ("~no such user/caches", "{cwd}/~no such user/caches"),
        ("/tmp/there", "/tmp/there"),
        ("", "{home}/xdg/inward"),
        (None, "{home}/xdg/inward"),
    ],
)
def test_the_variable_is_absolute_from_the_first_import_on(
    tmp_path, monkeypatch, module, told, expected
):
    """In the environment too, which the tool server inherits: it has another working directory."""
    cwd, home = tmp_path / "cwd", tmp_path / "cwd" / "home"
    home.mkdir(parents=True)
    monkeypatch.chdir(cwd)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", "home/xdg")
    monkeypatch.setenv("INWARD_CACHE_DIR", told or "")
    if told is None:
        monkeypatch.delenv("INWARD_CACHE_DIR")
    package, file = module.split("/")
    # The file by itself: importing verifiers takes seconds.
    path = Path(importlib.util.find_spec(package).origin).with_name(file)
    imported = runpy.run_path(str(path), run_name="imported")
    monkeypatch.chdir("/")
    folder = expected.format(cwd=cwd, home=home)
    assert os.environ.get("INWARD_CACHE_DIR") == (folder if told else told)
    assert str(imported["cache_dir"]()) == folder


def test_where_models_lie_is_absolute_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", "models")
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", "../models")
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    runpy.run_path(cache_dir_module.__file__)
    assert os.environ["HF_HOME"] == str(tmp_path / "models")
    assert os.environ["SENTENCE_TRANSFORMERS_HOME"] == str(tmp_path.parent / "models")
    assert "HF_HUB_CACHE" not in os.environ
