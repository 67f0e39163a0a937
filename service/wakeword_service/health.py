"""``python -m wakeword_service.health``: the health check of the image; exit code 0 or 1.

It asks ``/healthz`` of the service with the same settings on this machine: not ``/readyz``, since
what is overloaded must not be restarted for it. A curl would be one more program in the image.
"""

from __future__ import annotations

import ssl
import sys
import urllib.request
from ipaddress import ip_address

from wakeword.errors import ConfigError
from wakeword_service.settings import Settings, load_settings

TIMEOUT_S = 4.0


def url_of(settings: Settings) -> str:
    """Where the service of ``settings`` answers on this machine."""
    host = settings.host
    try:
        address = ip_address(host)
        if address.is_unspecified:  # all addresses, hence loopback too
            host = "127.0.0.1" if address.version == 4 else "::1"
    except ValueError:
        pass  # a name
    scheme = "https" if settings.ssl_certfile else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}/healthz"


def is_healthy(settings: Settings) -> bool:
    """Whether the service answers that it works; says on stderr why not."""
    # The certificate names the host as others see it, not loopback, and nothing secret is sent.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),  # a proxy for the outside is none for this machine
        urllib.request.HTTPSHandler(context=context),
    )
    try:
        with opener.open(url_of(settings), timeout=TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError) as why:
        print(f"error: {url_of(settings)}: {why}", file=sys.stderr)
        return False


def main() -> int:
    """Exit code 0: healthy; 1: not."""
    try:
        return 0 if is_healthy(load_settings()) else 1
    except ConfigError as why:
        print(f"error: {why}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
