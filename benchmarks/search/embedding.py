"""Queries embedded one at a time and together, through the whole of dense search.

    uv run --group bench --group models python benchmarks/search/embedding.py [--json]

A SentenceTransformer of MiniLM's size (6 layers of 384) with random weights. The floor is the model
itself: one forward pass per query.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile

from inward_retrieval import DenseConfig, LocalEmbedderConfig, build_retriever
from inward_retrieval.known_item import KnownItem
from inward_retrieval.local_embedder import LocalEmbedder
from load import load
from stories import K, Stories, arguments, seconds, stories
from targets import Target, report

CALLERS = 64


def minilm(folder: str) -> str:
    """A SentenceTransformer of MiniLM's size with random weights; its folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=8_000, special_tokens=special)
    tokenizer.train_from_iterator(list(stories().values())[:20], trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=256, **names)
    size = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}
    config = BertConfig(vocab_size=30_522, intermediate_size=1536, **size)
    base = f"{folder}/base"
    BertModel(config).save_pretrained(base)
    wrapped.save_pretrained(base)
    transformer = modules.Transformer(base, max_seq_length=256)
    model = SentenceTransformer(modules=[transformer, modules.Pooling(384), modules.Normalize()])
    model.save(f"{folder}/model")
    return f"{folder}/model"


def main() -> None:
    options = arguments(__doc__)
    bench = Stories()
    few = dict(list(bench.documents.items())[:4])
    items = [item for item in bench.items if item.document_id in few] * 8
    alone, together, bare = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        model = minilm(folder)
        embedder = LocalEmbedder(LocalEmbedderConfig(model=model))
        retriever = build_retriever(few, DenseConfig(model=model, cache=False))

        async def search(item: KnownItem) -> object:
            return await retriever.search(item.document_id, item.query, K)

        for _ in range(3):
            bare.append(
                seconds(lambda: [embedder.embed_queries([item.query]) for item in items[:60]]) / 60
            )
            alone.append(asyncio.run(load(search, items[:60], 1)))
            together.append(asyncio.run(load(search, items, CALLERS)))
        asyncio.run(retriever.aclose())
    print(f"one forward pass of one query {min(bare) * 1e3:.1f} ms")
    print(f"   1 caller  {max(alone, key=lambda one: one.calls)}")
    print(f"  {CALLERS} callers {max(together, key=lambda one: one.calls)}")
    gain = statistics.median(
        many.calls / one.calls for one, many in zip(alone, together, strict=True)
    )
    cost = statistics.median(one.p50 / 1e3 / floor for one, floor in zip(alone, bare, strict=True))
    print()
    report(
        [
            Target(f"embedding: {CALLERS} callers over one at a time", gain, 3),
            Target("embedding: one search over one forward pass", cost, 1.6, most=True),
        ],
        options.json,
    )


if __name__ == "__main__":
    main()
