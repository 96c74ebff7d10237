"""Requests that take long, or come before their turn, do not keep others waiting."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from fitcard.web.dispatcher import PIPELINED_TURN, Queue
from fitcard.web.fair_lock import FairLock


def connection(path: str, query: str = "", *, pipelined: bool = False) -> Any:
    """A connection with a request."""
    request = SimpleNamespace(path=path, query=query)
    return SimpleNamespace(requests=[request], pipelined=pipelined, service=lambda: None, cancel=lambda: None)


def test_requests_are_answered_in_order() -> None:
    queue, ones = Queue(1), [connection("/a"), connection("/b"), connection("/c")]
    for one in ones:
        queue.append(one)
    assert [queue.popleft() for _ in range(len(queue))] == ones


def test_pipelined_requests_come_after_others_but_for_one_in_some() -> None:
    queue, early, others = Queue(1), connection("/a", pipelined=True), [connection("/b") for _ in range(20)]
    for one in (early, *others):
        queue.append(one)
    taken = [queue.popleft() for _ in range(len(queue))]
    assert taken.index(early) == PIPELINED_TURN - 1
    assert [one for one in taken if one is not early] == others


def test_of_long_requests_only_some_are_answered_at_the_same_time() -> None:
    queue = Queue(2)
    long = [connection("/v1/batch"), connection("/v1/can-run/a-on-b", "explain=1"), connection("/v1/batch")]
    other = connection("/v1/can-run/a-on-b")
    for one in (*long, other):
        queue.append(one)
    assert (len(queue), queue.all) == (4, 4)
    first, second = queue.popleft(), queue.popleft()
    assert (first.connection, second.connection) == (long[0], long[1])
    assert (len(queue), queue.all) == (1, 2)
    assert queue.popleft() is other
    assert not queue
    first.service()
    assert queue.popleft().connection is long[2]


def test_a_fair_lock_is_had_by_one_thread_at_a_time_in_the_order_of_asking() -> None:
    lock, order, inside = FairLock(), [], []
    started = [threading.Event() for _ in range(8)]

    def take(number: int) -> None:
        started[number].set()
        with lock:
            inside.append(number)
            order.append(number)
            assert inside == [number]
            inside.remove(number)

    with lock:
        threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
        for number, thread in enumerate(threads):
            thread.start()
            started[number].wait()
            while len(lock._waiting) <= number:
                pass
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_a_fair_lock_can_be_taken_again_after_an_error() -> None:
    lock = FairLock()
    for _ in range(2):
        try:
            with lock:
                raise ValueError
        except ValueError:
            pass
