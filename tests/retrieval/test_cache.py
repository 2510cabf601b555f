"""The index cache: never stale, built once, mended with one warning."""

import json
import subprocess
import sys

import numpy as np
import pytest
from filelock import FileLock
from inward_retrieval import Bm25Config, build_retriever
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


def test_a_cache_that_cannot_be_written_names_the_mend(cache_dir):
    cache_dir.write_text("a file, not a folder")
    with pytest.raises(OSError, match="INWARD_CACHE_DIR"):
        build_retriever(DOCUMENTS, Bm25Config())


def test_list_and_clear(cache):
    cache.load_or_build("things", KEY, build)
    (cache.root / "stray").write_text("not ours")
    [stray, things] = cache.entries()
    assert things.key == {"kind": "things", "library": "0.1", "corpus": "c"}
    assert things.size >= 12 * 8
    assert (stray.name, stray.size, stray.key) == ("stray", 8, {})
    removed, left = cache.clear()
    assert [entry.name for entry in removed] == ["stray", things.name]
    assert left == cache.entries() == []


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
