"""The proxies in front of the service, whose X-Forwarded-For and X-Forwarded-Proto are trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
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


def address_in(text: str) -> str:
    """The address in `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1` or `[2001:db8::1]:443`; empty in anything else."""
    host = text.strip().removeprefix("[").partition("]")[0]
    for candidate in (host, host.rpartition(":")[0] if host.count(":") == 1 else ""):
        with suppress(ValueError):
            return str(ip_address(candidate))
    return ""


@dataclass(frozen=True)
class ForwardedFor:
    """Sets the address and the scheme of a request to those that its proxies forward.

    Those of requests that do not come from a proxy stay: their headers are written by the caller.
    """

    app: WSGIApplication
    proxies: Proxies

    @cached_property
    def _behind_proxies(self) -> ProxyFix:
        return ProxyFix(self._with_address, x_for=self.proxies.count, x_proto=self.proxies.count, x_host=0)

    def _with_address(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers a request without the port of the address that was forwarded, or with that of the proxy for none."""
        address = address_in(environ.get("REMOTE_ADDR") or "")
        environ["REMOTE_ADDR"] = address or environ["werkzeug.proxy_fix.orig"]["REMOTE_ADDR"]
        return self.app(environ, start_response)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The response to a request."""
        address = environ.get("REMOTE_ADDR", "")
        return (self._behind_proxies if self.proxies.trusts(address) else self.app)(environ, start_response)
