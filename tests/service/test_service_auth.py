"""Who is let in, over real sockets: keys, scopes, this machine, pages of strangers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Annotated

import httpx
import pytest
import uvicorn
from fastapi import Depends, FastAPI, WebSocket
from wakeword_service import auth, problems
from wakeword_service.auth import Caller, Gate
from wakeword_service.keys import Keys
from wakeword_service.settings import Settings
from wakeword_service.store import Store
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from wakeword.errors import ConfigError, ProtocolError

Reader = Annotated[Caller, Depends(auth.require("read"))]
Admin = Annotated[Caller, Depends(auth.require("admin"))]


class Served:
    """A server with the gate and two routes behind it, on a port of this machine."""

    def __init__(self, url: str, keys: Keys, failures: list[int]) -> None:
        self.url = url
        self.keys = keys
        self.failures = failures

    def get(self, path: str = "/read", **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.get(self.url + path, headers=sent, trust_env=False)

    def stream(self, key: str | None = None, **headers: str) -> str:
        """Connect, send the key as the first message, and return who the server says we are."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.url.replace("http", "ws") + "/stream"
        origin = sent.pop("Origin", None)
        with connect(url, additional_headers=sent, origin=origin, proxy=None) as socket:
            socket.send(key or "")
            return str(socket.recv())


def application(gate: Gate, settings: Settings) -> FastAPI:
    app = FastAPI()
    app.state.service = SimpleNamespace(gate=gate)
    problems.install(app)
    auth.install(app, settings)

    @app.get("/read")
    def read(caller: Reader) -> dict[str, object]:
        return {"name": caller.name, "id": caller.key_id, "max": caller.max_streams}

    @app.get("/admin")
    def admin(caller: Admin) -> str:
        return caller.name

    @app.websocket("/stream")
    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        try:
            caller = await auth.authenticate_socket(socket, await socket.receive_text() or None)
            await socket.send_text(caller.name)
            await socket.close()
        except ProtocolError as why:
            await socket.close(why.close_code, str(why)[:100])

    return app


@contextmanager
def serving(store: Store, **values: object) -> Iterator[Served]:
    settings = Settings(**({"login_failures_per_minute": 3} | values))
    keys, failures = Keys(store.keys), list[int]()
    app = application(Gate(settings, keys, lambda: failures.append(1)), settings)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="websockets-sansio")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(f"http://127.0.0.1:{port}", keys, failures)
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def store(tmp_path):
    with closing(Store(tmp_path)) as opened:
        yield opened


@pytest.fixture
def served(store):
    with serving(store) as running:
        yield running


def closed(served: Served, *arguments: str, **headers: str) -> tuple[int, str]:
    with pytest.raises(ConnectionClosedError) as end:
        served.stream(*arguments, **headers)
    assert end.value.rcvd is not None
    return end.value.rcvd.code, end.value.rcvd.reason


def test_without_keys_this_machine_is_trusted(served):
    assert served.get().json() == {"name": "local", "id": None, "max": None}
    assert served.get("/admin").json() == "local"
    assert served.stream() == "local"
    own = served.url.removeprefix("http://")
    assert served.get(Origin=served.url).status_code == 200
    assert served.get(Host=own.replace("127.0.0.1", "localhost")).status_code == 200


def test_without_keys_strangers_are_not_trusted(served):
    """A stranger's page, a rebound name, a proxy of this machine, an attempt with any key."""
    assert served.get(Origin="http://evil.example").status_code == 403
    assert served.get(Host="evil.example:8765").status_code == 403
    rebound = {"Host": "evil.example", "Origin": "http://evil.example"}  # its own page, to itself
    assert served.get(**rebound).status_code == 403
    for header in ({"X_Forwarded_For": "203.0.113.7"}, {"Via": "1.1 proxy"}):
        refused = served.get(**header)
        assert refused.status_code == 401 and "wakeword keys add" in refused.json()["detail"]
    assert closed(served, Origin="http://evil.example") == (
        4403, "pages of 'http://evil.example' are not in allowed_origins",
    )  # fmt: skip
    assert closed(served, Via="1.1 proxy")[0] == 4401


def test_a_star_trusts_pages_for_their_key_only(store):
    page = {"Origin": "https://any.example"}
    with serving(store, allowed_origins=("*",)) as served:
        assert served.get(**page).status_code == 403
        _, token = served.keys.add("page", ["read", "stream"])
        answer = served.get(**page, X_API_Key=token)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert served.stream(token, **page) == "page"


def test_listed_pages_may_read_the_answers(store):
    page = "https://home.example"
    with serving(store, allowed_origins=(page,)) as served:
        answer = served.get(Origin=page)
        assert answer.headers["access-control-allow-origin"] == page
        asked = {"Access-Control-Request-Method": "PUT", "Origin": page}
        before = httpx.options(served.url + "/read", headers=asked, trust_env=False)
        assert "PUT" in before.headers["access-control-allow-methods"]
        assert served.get(Origin="https://evil.example").status_code == 403


def test_as_soon_as_a_key_exists_all_need_one(served):
    _, token = served.keys.add("kitchen", ["stream", "read"], max_streams=2)
    refused = served.get()
    assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
    assert refused.headers["content-type"] == "application/problem+json"
    assert closed(served)[0] == 4401
    for header in ({"Authorization": f"Bearer {token}"}, {"X_API_Key": token}):
        answer = served.get(**header)
        assert (answer.json()["name"], answer.json()["max"]) == ("kitchen", 2)
        assert served.stream(**header) == "kitchen"
    assert served.stream(token) == "kitchen"
    assert not served.failures, "a key that is missing is not a key that is wrong"
    assert served.get(X_API_Key=token, Host="evil.example").status_code == 200
    assert served.get(X_API_Key=token, Via="1.1 proxy").status_code == 200
    assert served.get(X_API_Key=token, Origin="http://evil.example").status_code == 403


def test_scopes(served):
    _, reader = served.keys.add("reader", ["read"])
    _, admin = served.keys.add("admin", ["admin"])
    refused = served.get("/admin", X_API_Key=reader)
    assert refused.status_code == 403
    assert "lacks the scope 'admin'; it has: read" in refused.json()["detail"]
    assert closed(served, reader)[0] == 4403
    assert served.get("/read", X_API_Key=admin).status_code == 200
    assert served.stream(admin) == "admin"


def test_wrong_keys_are_counted_and_slowed_but_never_block_a_right_one(served):
    _, token = served.keys.add("kitchen", ["stream", "read"])
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    said = [served.get(X_API_Key=wrong) for _ in range(3)]
    assert [answer.status_code for answer in said] == [401] * 3
    slowed = served.get(Authorization=f"Bearer {wrong}")
    assert slowed.status_code == 429
    assert 1 <= int(slowed.headers["retry-after"]) <= 20
    assert slowed.json()["retry_after_s"] == int(slowed.headers["retry-after"])
    code, reason = closed(served, wrong)
    assert code == 4401 and "try again in" in reason
    assert served.get(X_API_Key=token).status_code == 200
    assert served.stream(token) == "kitchen"
    assert len(served.failures) == 5
    assert wrong not in slowed.text + said[0].text


def test_a_removed_key_is_refused_at_once(served):
    _, token = served.keys.add("guest", ["read"])
    served.keys.add("kitchen", ["read"])
    assert served.get(X_API_Key=token).status_code == 200
    served.keys.remove("guest")
    assert served.get(X_API_Key=token).status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "wake.example"])
def test_nobody_listens_beyond_this_machine_without_a_key(store, host):
    keys = Keys(store.keys)
    auth.check_can_start(Settings(host="127.0.0.1"), keys)
    auth.check_can_start(Settings(host=host, insecure_allow_anyone=True), keys)
    with pytest.raises(ConfigError, match="make one with: wakeword keys add"):
        auth.check_can_start(Settings(host=host), keys)
    keys.add("kitchen", ["stream"])
    auth.check_can_start(Settings(host=host), keys)


def test_anyone_is_let_in_only_where_the_owner_says_so(store):
    with serving(store, insecure_allow_anyone=True) as served:
        assert served.get(Host="wake.example", Via="1.1 proxy").status_code == 200
        assert served.get(Origin="http://evil.example").status_code == 403
        served.keys.add("kitchen", ["read"])
        assert served.get().status_code == 401, "a key that exists is needed all the same"


def test_an_unknown_scope_is_a_bug():
    with pytest.raises(ValueError, match="root"):
        auth.require("root")
