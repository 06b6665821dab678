"""Ctrl-C and SIGTERM: held back where they would leave something half done. Standard library only."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

__all__ = ["Terminated", "interrupts_postponed", "termination_is_interrupt"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """SIGTERM, such as a service manager or a shutdown sends."""


@contextmanager
def interrupts_postponed() -> Iterator[None]:
    """Ctrl-C inside takes effect at the end; where the block fails, its own exception does.

    So does SIGTERM where it is an exception, see `termination_is_interrupt`.
    """
    handlers = {number: handler for number in _SIGNALS if callable(handler := signal.getsignal(number))}
    if threading.current_thread() is not threading.main_thread() or not handlers:
        yield
        return
    caught: list[tuple[Any, ...]] = []
    try:
        for number in handlers:
            signal.signal(number, lambda *args: caught.append(args))
        yield
    finally:
        # From the last to the first: until all are back, the first still holds its own back.
        for number, handler in reversed(handlers.items()):
            signal.signal(number, handler)
    if caught:
        handlers[caught[0][0]](*caught[0])


@contextmanager
def termination_is_interrupt() -> Iterator[None]:
    """SIGTERM inside raises `Terminated` in the main thread, so that it ends a run as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


def _terminated(*_: object) -> NoReturn:
    raise Terminated
