"""Hosts, origins and how often one may fail, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection
from wakeword_service.logins import MAX_ADDRESSES, FailedLogins, source_of
from wakeword_service.origins import host_is_loopback, is_local, is_loopback, origin_allowed


def connection(
    *headers: tuple[str, str],
    client: tuple[str, int] | None = ("127.0.0.1", 50_000),
    server: tuple[str, int | None] | None = ("127.0.0.1", 8765),
) -> HTTPConnection:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return HTTPConnection({"type": "http", "headers": raw, "client": client, "server": server})


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.255.3.4", True), ("::1", True), ("[::1]", True),
        ("localhost", True), ("LOCALHOST", True), ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False), ("192.168.1.2", False), ("::ffff:10.0.0.1", False), ("::", False),
        ("localhost.evil.example", False), ("127.0.0.1.evil.example", False), ("", False),
        (None, False), ("0x7f000001", False),
    ],
)  # fmt: skip
def test_what_is_loopback(host, loopback):
    assert is_loopback(host) is loopback


def test_local_is_both_ends_and_no_proxy():
    assert is_local(connection())
    assert is_local(connection(client=("::1", 1), server=("::1", 8765)))
    assert not is_local(connection(client=("192.168.1.9", 1)))
    assert not is_local(connection(server=("192.168.1.2", 8765)))
    assert not is_local(connection(client=None)) and not is_local(connection(server=None))
    for header in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"):
        assert not is_local(connection((header, "anything")))


@pytest.mark.parametrize(
    ("hosts", "loopback"),
    [
        (["localhost:8765"], True), (["127.0.0.1"], True), (["[::1]:8765"], True),
        (["evil.example:8765"], False), (["localhost.evil.example"], False), ([], False),
        (["localhost", "evil.example"], False), (["user@localhost"], False), ([""], False),
        (["localhost/x"], False), (["localhost:99999"], False), (["localhost:x"], False),
        (["[::1"], False),
    ],
)  # fmt: skip
def test_whose_name_a_page_used(hosts, loopback):
    assert host_is_loopback(connection(*(("Host", host) for host in hosts))) is loopback


ALLOWED = ("https://home.example", "http://10.0.0.5:8080/", "null")


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:8765", "localhost:8765", True),  # the service's own pages
        ("https://wake.example", "wake.example", True),  # behind a proxy that ends TLS
        ("https://wake.example", "wake.example:443", True),
        ("http://wake.example", "wake.example:80", True),
        ("https://wake.example", "wake.example:80", False),
        ("http://localhost:3000", "localhost:8765", False),  # another program's page
        ("http://evil.example", "localhost:8765", False),
        ("https://home.example", "localhost:8765", True),  # listed
        ("HTTPS://HOME.EXAMPLE", "localhost:8765", True),
        ("http://home.example", "localhost:8765", False),  # another scheme is another origin
        ("https://home.example.evil.example", "localhost:8765", False),
        ("http://10.0.0.5:8080", "x", True),
        ("null", "localhost", True),
        ("chrome-extension://abc", "abc", False),
        ("http://a@localhost:8765", "a@localhost:8765", False),
        ("", "", False),
    ],
)
def test_whose_page_may_connect(origin, host, allowed):
    asked = connection(("Origin", origin), ("Host", host))
    assert origin_allowed(asked, ALLOWED) is allowed


def test_no_page_or_two_pages():
    assert origin_allowed(connection(("Host", "x")), ())
    assert origin_allowed(connection(("Origin", "http://any.example")), ("*",))
    own = ("Origin", "http://x")
    assert origin_allowed(connection(("Host", "x"), own), ())
    assert not origin_allowed(connection(("Host", "x"), own, own), ("*",))
    assert not origin_allowed(connection(own), ()), "no Host"


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_any_header_is_an_answer(origin, host):
    asked = connection(("Origin", origin), ("Host", host))
    assert origin_allowed(asked, ()) in (True, False)
    assert host_is_loopback(asked) in (True, False)


def test_failures_leak_away_evenly():
    now = 0.0
    failures = FailedLogins(6, clock=lambda: now)
    assert [failures.fail("10.0.0.1") for _ in range(6)] == [0.0] * 6
    assert failures.fail("10.0.0.1") == pytest.approx(10.0)  # 6 a minute: one each 10 s
    assert failures.fail("10.0.0.2") == 0.0, "another address is not concerned"
    now = 4.0
    assert failures.fail("10.0.0.1") == pytest.approx(6.0), "asking meanwhile costs nothing"
    now = 10.0
    assert failures.fail("10.0.0.1") == 0.0
    assert failures.fail("10.0.0.1") == pytest.approx(10.0)
    now = 10_000.0
    assert [failures.fail("10.0.0.1") for _ in range(7)] == pytest.approx([0.0] * 6 + [10.0])


@given(st.integers(1, 50), st.lists(st.floats(0, 30), max_size=60))
def test_never_more_failures_than_promised(per_minute, pauses):
    now, heard = 0.0, 0
    failures = FailedLogins(per_minute, clock=lambda: now)
    for pause in pauses:
        now += pause
        wait_s = failures.fail("a")
        heard += wait_s == 0.0
        assert 0.0 <= wait_s <= 60 / per_minute + 1e-6
        assert heard <= per_minute * (1 + now / 60) + 1e-6


def test_many_addresses_do_not_fill_the_memory():
    failures = FailedLogins(1, clock=lambda: 0.0)
    for number in range(MAX_ADDRESSES + 100):
        failures.fail(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(failures) == MAX_ADDRESSES
    assert failures.fail("10.0.0.0") == 0.0, "failed longest ago, forgotten first"
    assert failures.fail(f"10.0.{MAX_ADDRESSES >> 8}.0") > 0


def test_one_line_is_one_source():
    assert source_of("2001:db8::1") == source_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert source_of("2001:db8:0:1::1") != source_of("2001:db8::1")
    assert source_of("::ffff:10.0.0.1") == source_of("10.0.0.1") == "10.0.0.1"
    assert source_of(None) == source_of("") == source_of("/run/socket") == "unknown"
