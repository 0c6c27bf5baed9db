"""What is imported: the arguments of `memorize`, and an id where the file keeps one."""

from __future__ import annotations

from typing import Any

Item = dict[str, Any]
