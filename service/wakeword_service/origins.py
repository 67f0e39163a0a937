"""Which page and which machine a request comes from, as far as its headers can tell.

A browser attaches ``Origin`` to what a page sends, and ``Host`` names whom the page believes to
talk to. Both are checked because a page of a stranger, opened on the owner's own machine, reaches
services on loopback: directly (foreign ``Origin``), or under a name of its own that it lets
resolve to 127.0.0.1 (DNS rebinding: foreign ``Host``).
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
DEFAULT_PORTS = {"http": 80, "https": 443}
ANY = "*"


def is_loopback(host: str | None) -> bool:
    """Whether ``host`` (an address or a name, without port) can only be this machine."""
    name = (host or "").strip("[]").lower()
    if name == "localhost":
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def is_local(connection: HTTPConnection) -> bool:
    """Whether the connection begins and ends on this machine, with no proxy that we can see.

    Asked of the connection and not of the settings: ``uvicorn --host 0.0.0.0`` passes those by.
    """
    client = connection.client.host if connection.client else None
    server = connection.scope.get("server") or (None, None)
    return (
        is_loopback(client)
        and is_loopback(server[0])
        and not any(name in connection.headers for name in PROXY_HEADERS)
    )


def host_is_loopback(connection: HTTPConnection) -> bool:
    """Whether the one ``Host`` header names loopback; a missing or second one does not."""
    hosts = connection.headers.getlist("host")
    parts = _authority(hosts[0], "http") if len(hosts) == 1 else None
    return parts is not None and is_loopback(parts[0])


def origin_allowed(connection: HTTPConnection, allowed: Iterable[str]) -> bool:
    """Whether no page sent this, or one that the service itself serves, or a listed one.

    Parameters
    ----------
    allowed
        Origins as browsers write them, ``https://home.example``; ``*`` allows every page.
    """
    origins = connection.headers.getlist("origin")
    if not origins:
        return True
    if len(origins) > 1:
        return False
    origin = origins[0].lower()
    if any(entry in (ANY, origin) for entry in (a.lower().rstrip("/") for a in allowed)):
        return True
    scheme, _, authority = origin.partition("://")
    hosts = connection.headers.getlist("host")
    if scheme not in DEFAULT_PORTS or len(hosts) != 1:
        return False
    # A proxy that ends TLS hides the scheme from us, so the page's own decides its default port.
    page = _authority(authority, scheme)
    return page is not None and page == _authority(hosts[0], scheme)


def _authority(text: str, scheme: str) -> tuple[str, int] | None:
    """Host and port of ``host[:port]``; None where it is anything else."""
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.netloc != text or parts.username is not None or parts.path:
        return None
    return parts.hostname.lower(), port if port is not None else DEFAULT_PORTS[scheme]
