"""What loading a model with sentence-transformers takes, whichever kind it is. The library is not imported before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ntm_memory_skill.errors import EncoderError


@contextmanager
def loading(subject: str, refused: type[EncoderError]) -> Iterator[None]:
    """Keep the library's own bar about loading weights off the terminal for a block that loads a model.

    Args:
        subject: What is loaded, for the error's message.
        refused: The error to raise in place of the library's.

    Raises:
        EncoderError: That one, where the files are missing or do not hold a whole model.
    """
    from safetensors import SafetensorError
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # the library has no hints for it
    try:
        yield
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        raise refused(f"{subject} cannot be loaded: {_first_line(error)}") from error
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # the same


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
