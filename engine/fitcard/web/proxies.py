"""The proxies in front of the service, whose X-Forwarded-For and X-Forwarded-Proto are trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_CACHED = 4096  # addresses


@dataclass(frozen=True)
class Proxies:
    """A number of proxies, one behind the other, with addresses in these networks.

    Raises ValueError on construction for a network that cannot be read.
    """

    count: int
    networks: Sequence[str]

    def __post_init__(self) -> None:
        _ = self._parsed

    @cached_property
    def _parsed(self) -> list[IPv4Network | IPv6Network]:
        return [ip_network(network) for network in self.networks]

    def trusts(self, address: str) -> bool:
        """Whether an address is that of a proxy; that of a Unix socket, which is none, is."""
        return self.count > 0 and _is_in(address, tuple(self._parsed))


@lru_cache(MAX_CACHED)
def _is_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:  # of a Unix socket
        return True
    mapped = getattr(parsed, "ipv4_mapped", None)
    return any((mapped or parsed) in network for network in networks)


@dataclass(frozen=True)
class ForwardedFor:
    """Sets the address and the scheme of a request to those that its proxies forward.

    Those of requests that do not come from a proxy stay: their headers are written by the caller.
    """

    app: WSGIApplication
    proxies: Proxies

    @cached_property
    def _behind_proxies(self) -> ProxyFix:
        return ProxyFix(self.app, x_for=self.proxies.count, x_proto=self.proxies.count, x_host=0)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The response to a request."""
        trusted = self.proxies.trusts(environ.get("REMOTE_ADDR", ""))
        return (self._behind_proxies if trusted else self.app)(environ, start_response)
