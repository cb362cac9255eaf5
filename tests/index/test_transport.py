"""Which transport carries requests, and what both know of the network."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import httpx
import pytest

from tests.support.index_server import FakeIndex
from tfenv.errors import UsageError
from tfenv.index import transport as module
from tfenv.index.loop import run


def test_the_choice(transport: str) -> None:
    """Libcurl is taken where pycurl is installed, and httpx's own transport elsewhere."""

    async def chosen() -> str:
        made = module.transport(http2=True, silence=1)
        await made.aclose()
        return type(made).__module__

    assert run(chosen()) == {"libcurl": "tfenv.index.curl", "httpx": "tfenv.index.transport"}[transport]


def test_an_old_pycurl(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pycurl that has no event loop of its own counts as missing."""
    monkeypatch.setitem(sys.modules, "pycurl", SimpleNamespace(version="7.45"))
    assert isinstance(module.transport(http2=True, silence=1), module.Plain)


def test_httpx_comes_without_its_command_line() -> None:
    """Importing it takes neither click nor rich nor pygments along, and leaves click to be imported by others."""
    code = "import sys, tfenv.index.http\nprint(*sys.modules)\nimport click"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = done.stdout.split()
    assert "httpx" in modules
    assert not {"click", "rich", "pygments"} & set(modules)


def test_a_registry_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that wait take the proxy of the environment, unless NO_PROXY names the host."""
    with FakeIndex() as fake:
        monkeypatch.setenv("HTTP_PROXY", fake.address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("no_proxy", raising=False)
        with httpx.Client(transport=module.Blocking(), trust_env=False) as client:
            client.get("http://registry.example/v2/")
            client.get(f"http://{fake.address}/v2/")
        assert [seen.path for seen in fake.requests] == ["http://registry.example/v2/", "/v2/"]


@pytest.mark.parametrize("proxy", ["socks5://me:hunter2@127.0.0.1:9", "gopher://me:hunter2@127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that httpx cannot speak to is named without its password, with the way out."""
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with (
        httpx.Client(transport=module.Blocking(), trust_env=False) as client,
        pytest.raises(UsageError, match=r"the proxy `127\.0\.0\.1:9` cannot be used") as caught,
    ):
        client.get("http://registry.example/v2/")
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}"
    assert "tfenv[fast]" in str(caught.value.hint)
