"""Loading an encoder's model beside the answers that need none."""

from __future__ import annotations

import logging
import threading

from ntm_memory_skill.encoder import Encoder
from ntm_memory_skill.errors import EncoderError

logger = logging.getLogger(__name__)


class BackgroundLoad:
    """The loading of one encoder's model in a thread of its own; begun by whoever asks first.

    Args:
        encoder: Whose model.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._beginning = threading.Lock()
        self._thread: threading.Thread | None = None

    def under_way(self) -> bool:
        """Return whether the model is being loaded, and see to it that it is.

        False once it is there, and after a loading that failed: the next call that needs it meets the error.
        """
        if self._encoder.ready:
            return False
        with self._beginning:
            if self._thread is None:
                self._thread = threading.Thread(target=self._load, name="ntm-memory loads its model", daemon=True)
                self._thread.start()
        return self._thread.is_alive()

    def _load(self) -> None:
        try:
            self._encoder.warm_up()
        except EncoderError as error:
            logger.warning("the model was not loaded: %s", error.message)
