"""Signing in at a provider."""

from __future__ import annotations

from oidc_sso import Sso
from oidc_visitor import Visitor, reason


def test_somebody_new_becomes_a_user(sso: Sso, visitor: Visitor) -> None:
    """Who comes for the first time is made a user of the provider, with the groups that its claim stands for."""
    sso.provider.says("alice", groups=["operators", "others"], email="alice@example.org", email_verified=True)
    answer = visitor.sign_in("sso", "alice", "/cbgrid/Accounts")
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/cbgrid/Accounts"), reason(answer)
    assert visitor.who == "alice@sso"
    user = sso.product.ask("system/usermanager/userget", name="alice@sso")
    assert (user["groups"], user["emails"]) == (["level1", "level2", "user"], ["alice@example.org"])
