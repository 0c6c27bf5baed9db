"""Exporting a model to ONNX, once, on the machine that runs it, and only if its keys come out the same."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ntm_memory_skill.encoder.exported import (
    DESCRIPTION,
    MISSING,
    MODEL,
    TOKENIZER,
    WEIGHTS,
    Description,
    ExportedEncoder,
)
from ntm_memory_skill.encoder.sentence import SentenceEncoder
from ntm_memory_skill.errors import EncoderUnavailable, ExportDiffers

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

ALIKE = 0.9999
"""The least cosine between a key and the exported model's."""
SAMPLE = (
    "When do we launch?",
    "The launch moved to 9 May; Anna will tell Bob, who is in Lisbon until Friday.",
    "wifi password: hunter2-Berlin, behind the mirror in the hall",
    "北京的会议改到下个月了，记得告诉小王。",
    "Ça coûte 12,50 €, naïve façade — “quotes”, emoji 🙂 and a tab\there",
    "a",
    "Bread needs twelve hours of cold proofing. " * 40,
    "12345 67890 +49 170 1234567 https://example.com/path?query=1#fragment",
)
"""Texts of several kinds and lengths, the longest beyond any usual window."""


def export(encoder: SentenceEncoder, folder: Path) -> float:
    """Export a model into a folder, in the place of what is there, and return the least cosine on `SAMPLE`.

    Args:
        encoder: The model.
        folder: Where to; it appears when all is done.

    Raises:
        EncoderUnavailable: The model, onnx or onnxruntime is not there.
        ExportDiffers: The keys differ; nothing was kept.
    """
    model = encoder.model
    identity = encoder.identity
    for each in (folder.parent.parent, folder.parent):
        each.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}-"))
    try:
        tokenizer = model.tokenizer
        tokenizer.backend_tokenizer.save(str(unfinished / TOKENIZER))
        about = Description(
            identity=identity,
            window=model.max_seq_length or 512,
            unknown=tokenizer.unk_token_id,
            padding=tokenizer.pad_token_id or 0,
        )
        (unfinished / DESCRIPTION).write_bytes(about.to_json())
        _write(model, unfinished / MODEL)
        least = _compared(encoder, ExportedEncoder(unfinished))
        if least < ALIKE:
            message = f"the exported model's keys differ from its own: a cosine of {least:.6f}, below {ALIKE}"
            raise ExportDiffers(message)
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return least


def _compared(encoder: SentenceEncoder, exported: ExportedEncoder) -> float:
    """Return the least cosine between the keys of both, as passages and as questions."""
    passages = (encoder.encode_passages(SAMPLE) * exported.encode_passages(SAMPLE)).sum(axis=1)
    questions = [float(encoder.encode_query(text) @ exported.encode_query(text)) for text in SAMPLE]
    return min(float(passages.min()), *questions)


def _write(model: SentenceTransformer, file: Path) -> None:
    """Write the graph from tokens to unit keys."""
    import torch

    class Whole(torch.nn.Module):
        """The model's parts one after the other, and the length taken out."""

        def __init__(self) -> None:
            super().__init__()
            self.parts = model

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> Any:
            given = {"input_ids": ids, "attention_mask": mask}
            if "token_type_ids" in model.tokenizer.model_input_names:
                given["token_type_ids"] = torch.zeros_like(ids)
            return torch.nn.functional.normalize(self.parts(given)["sentence_embedding"], dim=1)

    example = torch.ones(2, 8, dtype=torch.long)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing warns of every shape that it takes for granted
        try:
            torch.onnx.export(
                Whole().eval(),
                (example, example),
                str(file),
                input_names=["ids", "mask"],
                output_names=["keys"],
                dynamic_axes={"ids": {0: "k", 1: "t"}, "mask": {0: "k", 1: "t"}, "keys": {0: "k"}},
                opset_version=17,
                dynamo=False,
            )
        except torch.onnx.OnnxExporterError as error:
            line = str(error).strip().splitlines()[0][:200]
            raise EncoderUnavailable(f"the model cannot be exported: {line}", hint=MISSING) from error
    _part(file)


def _part(file: Path) -> None:
    """Put the weights of a graph into a file of their own beside it.

    Weights in the graph's file are copied out of it when it is read. Those in their own are mapped: of a vocabulary,
    the pages of the words that occur are loaded, and a process that runs the model is 70 MB smaller.
    """
    import onnx

    graph = onnx.load(str(file))
    onnx.save_model(graph, str(file), save_as_external_data=True, all_tensors_to_one_file=True, location=WEIGHTS)
