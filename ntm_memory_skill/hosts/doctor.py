"""What is wrong with an installation, and how to mend it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ntm_memory_skill.config import Config
from ntm_memory_skill.encoder import BUNDLED, CrossEncoderReranker
from ntm_memory_skill.encoder.bundled import model_folder
from ntm_memory_skill.encoder.settings import exported
from ntm_memory_skill.errors import NTMMemoryError, RerankerUnavailable, StoreError
from ntm_memory_skill.hosts import compose
from ntm_memory_skill.hosts.resident.client import told
from ntm_memory_skill.sources import system_clock
from ntm_memory_skill.store import Paths, verify

PACKAGES = ("torch", "sentence-transformers", "transformers", "mcp", "numpy")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was examined."""

    ok: bool
    subject: str
    detail: str
    hint: str = ""


def examine(memory_file: Path | None) -> list[Diagnosis]:
    """Examine Python, packages, configuration, weights, folder and files, in that order.

    Loads no model but a reranker that is configured: nothing less tells a cross-encoder from another model.
    """
    found = [_python(), _packages()]
    config = _attempt("configuration", lambda: _configuration(memory_file))
    found.append(config)
    if not config.ok:
        return found
    settings = compose.configured(memory_file)
    found.append(_attempt("encoder", lambda: _encoder(settings)))
    chosen = settings.settings.reranker
    if chosen.model is not None:
        found.append(_attempt("reranker", lambda: _reranker(str(chosen.model), may_fetch=chosen.allow_download)))
    found.append(examine_folder(settings.memory_file, "folder", "Choose another place with --memory."))
    for finding in verify(settings.memory_file, system_clock, settings.settings.store):
        hint = "" if finding.error is None else finding.error.hint
        found.append(Diagnosis(finding.ok, finding.subject, finding.detail, hint))
    found.append(_attempt("memory and encoder", lambda: _match(settings)))
    found.append(Diagnosis(True, "resident", _resident(settings)))
    return found


def enabled(memory_file: Path | None) -> bool | None:
    """Return whether clawhub.json lets the skill be used; None if it cannot be read."""
    try:
        return compose.configured(memory_file).enabled
    except NTMMemoryError:
        return None


def _attempt(subject: str, examine_it: Callable[[], str]) -> Diagnosis:
    try:
        return Diagnosis(True, subject, examine_it())
    except NTMMemoryError as error:
        return Diagnosis(False, subject, error.message, error.hint)


def _python() -> Diagnosis:
    return Diagnosis(True, "Python", f"{sys.version.split()[0]} at {sys.executable}")


def _packages() -> Diagnosis:
    versions, missing = [], []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        hint = "Install again: pip install -c constraints.txt -e ."
        return Diagnosis(False, "packages", f"missing: {', '.join(missing)}", hint)
    return Diagnosis(True, "packages", ", ".join(versions))


def _configuration(memory_file: Path | None) -> str:
    config = compose.configured(memory_file)
    return "defaults; no clawhub.json was found" if config.origin is None else f"from {config.origin}"


def _encoder(config: Config) -> str:
    settings = compose.encoder_settings(config)
    faster = "" if settings.engine == "torch" else "; started in half a second after: ntm-memory encoder export"
    engine = f"torch{faster}" if exported(settings) is None else "onnxruntime, as it was exported"
    if settings.model != BUNDLED:
        return f"{settings.model}, loaded on first use, run by {engine}"
    model_folder()
    return f"bundled, its weights have the right sha256, run by {engine}"


def _reranker(model: str, *, may_fetch: bool) -> str:
    """Say whether a reranker can be loaded, without fetching it."""
    try:
        CrossEncoderReranker(model).warm_up()
    except RerankerUnavailable as error:
        if not may_fetch:
            raise
        return f"not to be had on this machine, and looked for elsewhere on first use: {error.message}"
    return f"{model} is there and can be loaded"


def examine_folder(memory_file: Path, subject: str, hint: str) -> Diagnosis:
    """Say whether a memory's folder, or the nearest one above it that exists, can be written to."""
    try:
        folder = Paths.of(memory_file).snapshot.parent.absolute()
    except StoreError as error:
        return Diagnosis(False, subject, error.message, hint)
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        shared = existing == folder and os.name != "nt" and folder.stat().st_mode & 0o077
        others = f"; others can look into it: chmod 700 {folder}" if shared else ""
        return Diagnosis(True, subject, f"{folder} can be written to{others}")
    return Diagnosis(False, subject, f"{existing} cannot be written to", hint)


def _resident(config: Config) -> str:
    """Say whether a process answers commands. None need be there: without one, each command does its work itself."""
    if config.resident.mode == "off":
        return "none is asked: ntm_memory.resident.mode is off"
    status = told(config.memory_file, "status", compose.found(config.memory_file))
    if status is None:
        return "no process answers commands over this memory; each opens it itself"
    name = f"process {status.get('process')}"
    if status.get("refusal") is not None:
        return f"{name} would leave commands to themselves: {status['refusal']}"
    return f"{name} answers commands over this memory"


def _match(config: Config) -> str:
    with compose.open_memory(config) as memory:
        return "no memory yet" if memory.encoder is None else f"written by {memory.encoder}"
