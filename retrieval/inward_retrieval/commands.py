"""The `cache` and `retrieval-report` commands, for any argparse command line.

`add_cache(subparsers)` and `add_report(subparsers)` each add one; the parsed arguments then have
`run`, which takes them and returns the exit status.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from inward_retrieval.cache import CACHE_DIR_VAR, Entry, IndexCache
from inward_retrieval.comparison import compare, markdown
from inward_retrieval.config import RetrieverConfig
from inward_retrieval.embedders import EmbeddingError
from inward_retrieval.report_sources import installed, load

CHUNK_WORDS = (50, 100, 150, 200)


def add_cache(subparsers: Any) -> None:
    """Adds `cache list|clear` to what `ArgumentParser.add_subparsers` returned."""
    parser = subparsers.add_parser(
        "cache",
        help="list or clear the index cache",
        description=f"The index cache, under {CACHE_DIR_VAR} or the user's cache directory.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|clear")
    actions.add_parser("list", help="show every index").set_defaults(run=_list)
    actions.add_parser("clear", help="remove every index").set_defaults(run=_clear)


def add_report(subparsers: Any) -> None:
    """Adds `retrieval-report ENV`."""
    parser = subparsers.add_parser(
        "retrieval-report",
        help="how well search finds the evidence",
        description="Recall on known items and option contrast, for each retriever and chunk size, "
        "in the documents that the policies of ENV search.",
    )
    parser.add_argument(
        "env",
        metavar="ENV",
        help=f"an environment whose documents are searched: {', '.join(sorted(installed()))}",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--split", metavar="NAME", help="which of its splits (default: what the package ships)"
    )
    source.add_argument(
        "--path", type=Path, metavar="FILE", help="a file of its schema, in place of a split"
    )
    parser.add_argument(
        "--retriever",
        action="append",
        metavar="TYPE|JSON",
        help="bm25, dense, hybrid, or a whole config such as "
        '\'{"type": "dense", "model": "FOLDER"}\'; repeat to compare (default: bm25)',
    )
    parser.add_argument(
        "--chunk-words",
        type=int,
        nargs="+",
        default=CHUNK_WORDS,
        metavar="N",
        help=f"chunk sizes (default: {' '.join(map(str, CHUNK_WORDS))})",
    )
    parser.add_argument(
        "--queries",
        type=int,
        default=20,
        metavar="N",
        help="known items per document (default: 20)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the known items (default: 0)")
    parser.set_defaults(run=_report)


def _list(args: argparse.Namespace) -> int:
    cache = IndexCache.default()
    try:
        entries = cache.entries()
    except OSError as error:
        return _refuse("cache list", _unreadable(cache, error))
    for entry in entries:
        print(f"{_megabytes(entry)}  {_when(entry)}  {entry.name}  {_summary(entry)}")
    ours = [entry for entry in entries if not entry.foreign]
    print(f"{_indexes(ours)}, {_total(ours)}, in {cache.root}{_and_foreign(entries)}")
    return 0


def _clear(args: argparse.Namespace) -> int:
    cache = IndexCache.default()
    try:
        removed, left = cache.clear()
    except OSError as error:
        return _refuse("cache clear", _unreadable(cache, error))
    print(f"removed {_indexes(removed)}, {_total(removed)}, from {cache.root}{_and_foreign(left)}")
    for entry in left:
        why = "foreign, not an index of ours" if entry.foreign else "another process is building it"
        print(f"left {entry.name}: {why}", file=sys.stderr)
    return 0 if all(entry.foreign for entry in left) else 1


def _report(args: argparse.Namespace) -> int:
    try:
        if args.queries < 1:
            raise ValueError(f"--queries {args.queries}: ask for at least 1")
        documents, questions = load(args.env, args.split, args.path)
        configs = [
            _config(text, words)
            for text in args.retriever or ["bm25"]
            for words in args.chunk_words
        ]
        rows = asyncio.run(
            compare(
                documents,
                questions,
                configs,
                queries=args.queries,
                seed=args.seed,
                progress=lambda line: print(line, file=sys.stderr),
            )
        )
    except (ValueError, OSError, ImportError, EmbeddingError) as error:
        return _refuse("retrieval-report", str(error))
    source = f"{args.env}, {args.path or args.split or 'what it ships'}"
    print(f"{source}: {len(documents)} documents, {len(questions)} questions")
    print(markdown(rows))
    return 0


def _config(text: str, chunk_words: int) -> RetrieverConfig:
    data: Any = {"type": text}
    if text.lstrip().startswith("{"):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"--retriever {text!r:.200} is not JSON: {error}") from error
        if "chunk_words" in data:
            raise ValueError(f"--retriever {text!r:.200}: give chunk_words as --chunk-words N")
    try:
        config: RetrieverConfig = TypeAdapter(RetrieverConfig).validate_python(
            {**data, "chunk_words": chunk_words}
        )
    except ValidationError as error:
        [first, *_] = error.errors()
        field = ".".join(map(str, first["loc"]))
        raise ValueError(f"--retriever {text!r:.200}: {field} {first['msg']}") from error
    return config


def _refuse(command: str, reason: str) -> int:
    """One line, whatever a library's error holds."""
    print(f"inward {command}: {' '.join(reason.split())}", file=sys.stderr)
    return 2


def _unreadable(cache: IndexCache, error: OSError) -> str:
    return f"cannot read {cache.root} ({error}): point {CACHE_DIR_VAR} to a folder of yours"


def _and_foreign(entries: list[Entry]) -> str:
    foreign = sum(entry.foreign for entry in entries)
    return f"; {foreign} foreign, never removed" if foreign else ""


def _indexes(entries: list[Entry]) -> str:
    return f"{len(entries)} {'index' if len(entries) == 1 else 'indexes'}"


def _summary(entry: Entry) -> str:
    """The fields of the key that tell one entry from the next at a glance."""
    if entry.foreign:
        return "foreign: not an index of ours, never removed"
    shown = ("chunk_words", "chunk_overlap", "model", "revision", "base_url", "k1", "b")
    shown_fields = [f"{name}={entry.key[name]}" for name in shown if entry.key.get(name)]
    return " ".join(shown_fields) or "unreadable: it will be built again"


def _when(entry: Entry) -> str:
    return datetime.fromtimestamp(entry.created).strftime("%Y-%m-%d %H:%M")


def _megabytes(entry: Entry) -> str:
    return f"{entry.size / 1e6:9.1f} MB"


def _total(entries: list[Entry]) -> str:
    return f"{sum(entry.size for entry in entries) / 1e6:.1f} MB"
