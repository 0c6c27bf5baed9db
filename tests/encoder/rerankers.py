"""Rerankers for tests: doubles without a model, and a sentence-transformers cross-encoder made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import ascii_lowercase

import numpy as np

Scores = np.ndarray[tuple[int], np.dtype[np.float32]]

CROSS_WINDOW = 32
"""Word pieces of question, text and three marks together that the tiny cross-encoder reads."""


class LetterReranker:
    """Scores a text by how many of its first 20 characters occur in the question, and notes what it was asked."""

    ready = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def warm_up(self) -> None:
        """Do nothing: there is no model."""

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        """Return the counts."""
        self.asked.append((query, list(texts)))
        counts: Scores = np.array([sum(char in query for char in text[:20]) for text in texts], dtype=np.float32)
        return counts


class BackwardsReranker(LetterReranker):
    """Likes best what the head likes least."""

    def scores(self, query: str, texts: Sequence[str]) -> Scores:
        """Return rising numbers."""
        super().scores(query, texts)
        return np.arange(len(texts), dtype=np.float32) - 3


def save_tiny_cross_encoder(folder: Path, *, seed: int = 1, labels: int = 1, scores: bool = True) -> Path:
    """Write a model of random weights for which a piece is a letter, and return its folder.

    Args:
        folder: Where; it must not exist.
        seed: Of the weights.
        labels: How many numbers it gives for a pair of texts.
        scores: False leaves out the layer that gives them: then it is a plain encoder.
    """
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizer

    folder.mkdir(parents=True)
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*marks, *ascii_lowercase, *(f"##{letter}" for letter in ascii_lowercase)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    shape = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=CROSS_WINDOW,
        initializer_range=0.5,  # so that different texts get clearly different scores
    )
    shape.num_labels = labels
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        (BertForSequenceClassification if scores else BertModel)(shape).save_pretrained(folder)
    return folder
