"""X-Forwarded-For is that of a proxy, never of the caller."""

from __future__ import annotations

import pytest

from fitcard.web.app import create_app
from fitcard.web.options import Options
from fitcard.web.proxies import Proxies
from helpers.project import project_rules

ADDRESS = "/v1/rank"
PUBLIC = "203.0.113.9"


def statuses(options: Options, callers: list[tuple[str, str]]) -> list[int]:
    """The statuses of requests from an address each, with an X-Forwarded-For."""
    client = create_app(project_rules(), options=options).test_client()
    return [
        client.get(ADDRESS, headers={"X-Forwarded-For": forwarded}, environ_base={"REMOTE_ADDR": address}).status_code
        for address, forwarded in callers
    ]


def test_behind_a_proxy_the_rate_is_that_of_the_address_that_it_forwards() -> None:
    options = Options(trusted_proxies=1, rate_limit="1/hour")
    callers = [("10.0.0.1", "198.51.100.1"), ("10.0.0.1", "198.51.100.2"), ("10.0.0.2", "198.51.100.1")]
    assert statuses(options, callers) == [200, 200, 429]


def test_a_caller_that_is_no_proxy_cannot_choose_its_address() -> None:
    options = Options(trusted_proxies=1, rate_limit="1/hour")
    assert statuses(options, [(PUBLIC, "198.51.100.1"), (PUBLIC, "198.51.100.2")]) == [200, 429]


def test_a_caller_cannot_add_to_what_the_proxy_forwards() -> None:
    options = Options(trusted_proxies=1, rate_limit="1/hour")
    callers = [("10.0.0.1", f"192.0.2.{number}, 198.51.100.1") for number in range(2)]
    assert statuses(options, callers) == [200, 429]


def test_only_proxies_of_the_named_networks_are_trusted() -> None:
    options = Options(trusted_proxies=1, proxy_networks=("203.0.113.0/24",), rate_limit="1/hour")
    callers = [(PUBLIC, "198.51.100.1"), (PUBLIC, "198.51.100.2"), ("10.0.0.1", "a"), ("10.0.0.1", "b")]
    assert statuses(options, callers) == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("address", "is_trusted"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:10.1.2.3", True), ("fd00::1", True), (PUBLIC, False), ("", True)],
)
def test_proxies_are_in_private_networks_unless_others_are_named(address: str, is_trusted: bool) -> None:
    assert Proxies(1, Options().proxy_networks).trusts(address) is is_trusted
    assert not Proxies(0, Options().proxy_networks).trusts(address)


def test_a_network_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        Proxies(1, ("10.0.0.1/8",))


@pytest.mark.parametrize("forwarded", ["198.51.100.{}", "198.51.100.7:500{}", "[2001:db8::7]:500{}", "unknown{}", "{}"])
def test_only_another_address_is_another_caller(forwarded: str) -> None:
    options = Options(trusted_proxies=1, rate_limit="1/hour")
    callers = [("10.0.0.1", forwarded.format(number)) for number in (1, 2)]
    assert statuses(options, callers) == [200, 200 if forwarded == "198.51.100.{}" else 429]
