"""Loading a model beside the answers that need none."""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from ntm_memory_skill.errors import EncoderError

logger = logging.getLogger(__name__)


class Loadable(Protocol):
    """An encoder or a reranker, as far as loading its model goes."""

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""

    def warm_up(self) -> None:
        """Load it now. Raises an EncoderError."""


class BackgroundLoad:
    """The loading of one model in a thread of its own; begun by whoever asks first.

    Args:
        owner: Whose model.
    """

    def __init__(self, owner: Loadable) -> None:
        self._owner = owner
        self._beginning = threading.Lock()
        self._thread: threading.Thread | None = None

    def under_way(self) -> bool:
        """Return whether the model is being loaded, and see to it that it is.

        False once it is there, and after a loading that failed: the next call that needs it meets the error.
        """
        if self._owner.ready:
            return False
        with self._beginning:
            if self._thread is None:
                self._thread = threading.Thread(target=self._load, name="ntm-memory loads its model", daemon=True)
                self._thread.start()
        return self._thread.is_alive()

    def _load(self) -> None:
        try:
            self._owner.warm_up()
        except EncoderError as error:
            logger.warning("the model was not loaded: %s", error.message)
