"""The response cache: bounded in entries and in bytes."""

from __future__ import annotations

from fitcard.web.response_cache import CachedResponse, ResponseCache


def response(size: int) -> CachedResponse:
    return CachedResponse(b"x" * size, "tag", [], [], "/", "/", "rules")


def kept(cache: ResponseCache, keys: str) -> str:
    return "".join(key for key in keys if cache.get(key))


def test_the_least_recently_used_responses_give_way_to_more_bytes() -> None:
    cache = ResponseCache(max_bytes=100)
    for key in "abc":
        cache.put(key, response(30))
    assert cache.get("a")
    cache.put("d", response(30))
    assert kept(cache, "abcd") == "acd"
    cache.put("e", response(100))
    assert kept(cache, "abcde") == "e"


def test_a_response_that_replaces_another_counts_once() -> None:
    cache = ResponseCache(max_bytes=100)
    for _ in range(5):
        cache.put("a", response(40))
    cache.put("b", response(60))
    assert kept(cache, "ab") == "ab"


def test_there_are_at_most_as_many_as_its_capacity() -> None:
    cache = ResponseCache(capacity=2)
    for key in "abc":
        cache.put(key, response(1))
    assert kept(cache, "abc") == "bc"
