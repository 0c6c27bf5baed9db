"""A sentence-transformers model of a few hundred weights, made on the spot, and the encoders under contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from string import ascii_lowercase

import pytest

from ntm_memory_skill import HashedEncoder
from ntm_memory_skill.encoder import Encoder, ProjectedEncoder
from ntm_memory_skill.encoder.batching import BatchingEncoder
from ntm_memory_skill.encoder.caching import CachingEncoder
from tests.encoder.engines import HeldEncoder

WINDOW = 16
PROMPTS = {"query": "query: ", "document": "passage: "}


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of random weights: 16 numbers a key, a window of 16 pieces, a piece a letter."""
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny", seed=1, prompts=PROMPTS)


def save_tiny_model(folder: Path, seed: int, prompts: dict[str, str]) -> Path:
    """Write a model of random weights, and return its folder."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel, BertTokenizer

    parts = folder.with_name(f"{folder.name}-parts")
    parts.mkdir(parents=True)
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ":", "query", "passage"]
    vocabulary = [*marks, *ascii_lowercase, *(f"##{letter}" for letter in ascii_lowercase)]
    (parts / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizer(str(parts / "vocab.txt")).save_pretrained(parts)
    shape = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        BertModel(shape).save_pretrained(parts)
    model = SentenceTransformer(str(parts), device="cpu", prompts=prompts)  # puts mean pooling on top
    model.max_seq_length = WINDOW
    model.save(str(folder))
    return folder


@pytest.fixture(
    params=[
        "hashed",
        "projected",
        "caching",
        "batching",
        pytest.param("bundled", marks=pytest.mark.model),
        pytest.param("bundled as it is loaded", marks=pytest.mark.model),
    ]
)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Each encoder that the contract binds."""
    made: dict[str, Callable[[], Encoder]] = {
        "hashed": lambda: HashedEncoder(96),
        "projected": lambda: ProjectedEncoder(HashedEncoder(128), 96),
        "caching": lambda: CachingEncoder(HashedEncoder(96)),
        "batching": lambda: BatchingEncoder(HeldEncoder(96)),
        "bundled": lambda: request.getfixturevalue("bundled"),
        "bundled as it is loaded": lambda: CachingEncoder(BatchingEncoder(request.getfixturevalue("bundled"))),
    }
    return made[request.param]()
