"""A product whose people sign in at a real OpenID provider."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from product import free_port, running

sys.path.insert(0, str(Path(__file__).parent))

from oidc_provider import Provider, install
from oidc_sso import CLIENTS, Sso, settings_of
from oidc_visitor import Visitor


@pytest.fixture(scope="session")
def sso(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sso]:
    """Run the product, then the provider, which must know the product's address; so the product starts without it."""
    install()
    folder = tmp_path_factory.mktemp("oidc")
    provider = Provider(free_port(), folder / "accounts.json")
    file = folder / "portalfw.toml"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else can
        file.write_text(settings_of(provider.url, f"http://127.0.0.1:{closed.getsockname()[1]}"))
        with running("--hypervisor", "test", PORTALFW_CONFIG=str(file)) as product:
            provider.start(product.url, list(CLIENTS))
            yield Sso(product, provider)
            provider.stop()


@pytest.fixture
def visitor(sso: Sso) -> Iterator[Visitor]:
    """Give somebody with a browser of its own."""
    found = sso.visitor()
    yield found
    found.close()
