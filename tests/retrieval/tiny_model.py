"""A real SentenceTransformer, small enough to be trained in the test session."""

import json
import random
from pathlib import Path

import inward_retrieval
from inward_retrieval.known_item import known_items

SAMPLE = Path(__file__).parents[2] / "environments/quality_rag/quality_rag/data/sample.jsonl"
QUERY_PROMPT = "query: "
WORDS = 50
"""Chunk size of the passages that it learns."""


def sample_stories():
    """The sample stories by id."""
    rows = map(json.loads, SAMPLE.read_text("utf-8").splitlines())
    return {row["article_id"]: row["article"] for row in rows}


def asked_in_tests(stories):
    """Queries whose sentences the model does not learn."""
    return known_items(stories, per_document=20)


def training_pairs(stories):
    """(query, the chunk that it was made from)"""
    asked = {(item.document_id, item.start) for item in asked_in_tests(stories)}
    pairs = []
    for item in known_items(stories, per_document=1000, seed=1):
        if (item.document_id, item.start) in asked:
            continue
        text = stories[item.document_id]
        middle = (item.start + item.end) // 2
        spans = inward_retrieval.chunk_spans(text, words=WORDS)
        [passage] = [text[start:end] for start, end in spans if start <= middle < end]
        pairs.append((QUERY_PROMPT + item.query, passage))
    return pairs


def train(folder, stories, *, steps=60, batch=32, width=64, seed=0):
    """Trains a two-layer BERT to tell each known item's chunk from those of its batch."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import losses, modules
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # steps this small gain nothing from more, and lose on busy cores
    source = random.Random(seed)
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(
        stories.values(), trainers.WordPieceTrainer(vocab_size=3000, special_tokens=special)
    )
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    base = Path(folder) / "base"
    BertModel(
        BertConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=width,
            intermediate_size=2 * width,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=128,
        )
    ).save_pretrained(base)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=128,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(base)
    transformer = modules.Transformer(str(base), max_seq_length=128)
    pooling = modules.Pooling(width)
    model = SentenceTransformer(
        modules=[transformer, pooling, modules.Normalize()],
        prompts={"query": QUERY_PROMPT, "document": ""},
        device="cpu",
    )
    pairs = training_pairs(stories)
    loss = losses.MultipleNegativesRankingLoss(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    model.train()
    for _ in range(steps):
        chosen = source.sample(pairs, batch)
        features = [model.preprocess(list(side)) for side in zip(*chosen, strict=True)]
        value = loss(features, torch.zeros(batch))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    torch.set_num_threads(threads)
    target = Path(folder) / "model"
    model.save(str(target))
    return target
