"""Functions come back to the page's thread."""

from __future__ import annotations

import asyncio
import threading

from organelle_widgets.controllers import PageThread


def test_with_a_loop_functions_run_on_its_thread() -> None:
    seen: list[str] = []

    async def page() -> None:
        on_page = PageThread()
        done = asyncio.Event()

        def note() -> None:
            seen.append(threading.current_thread().name)
            done.set()

        threading.Thread(target=on_page, args=(note,), name="worker").start()
        await asyncio.wait_for(done.wait(), 10)

    asyncio.run(page())
    assert seen == [threading.main_thread().name]


def test_without_a_loop_functions_run_at_once() -> None:
    seen: list[int] = []
    PageThread()(seen.append, 7)
    assert seen == [7]


def test_a_closed_loop_drops_the_call() -> None:
    async def make() -> PageThread:
        return PageThread()

    seen: list[int] = []
    asyncio.run(make())(seen.append, 7)
    assert seen == []
