"""Run two requests of which the second has to wait for the first (PostgreSQL)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

PATIENCE = 120  # seconds; the machine may be busy


def one_waits(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """Return both answers; the first commits only when the second waits for a lock that it holds.

    Fails if the second ends without waiting.
    """
    answers: list[Any] = []

    def send() -> None:
        try:
            answers.append(second())
        except BaseException as error:  # noqa: BLE001 - raised again below
            answers.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=send)
    try:
        with transaction.atomic():
            held = first()
            thread.start()
            _until_it_waits_for_us(thread)
    finally:
        if thread.ident:
            thread.join(PATIENCE)
    (answer,) = answers
    if isinstance(answer, BaseException):
        raise answer
    return held, answer


def _until_it_waits_for_us(thread: threading.Thread) -> None:
    deadline = time.monotonic() + PATIENCE
    while thread.is_alive() and time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone() != (0,):
                return
        time.sleep(0.02)
    raise AssertionError("the second request did not wait")
