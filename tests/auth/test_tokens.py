"""API tokens: limited in time and in what they may do."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import requests
from product import Product, run
from pymongo.database import Database

from portalfw.auth.credentials import last_uses, note_use
from portalfw.auth.tokens import ApiToken, Scope, create_token, token_principal
from portalfw.auth.users import create_user
from portalfw.errors import InvalidError


def command(product: Product, *flags: str) -> str:
    done = run("token", "create", "--state", str(product.state), *flags)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_read_only_token_changes_nothing(product: Product) -> None:
    """A read-only token reads with all rights of its user and gets 403, naming the scope, for what changes."""
    token = command(product, "--user", "admin", "--name", "watcher", "--expires", "30d", "--read-only")
    assert product.call("system/usermanager/listUsers", token=token).status_code == 200
    refused = product.call("lab/kettle/lock", token=token, key="k")
    assert refused.status_code == 403
    assert "read-only" in refused.json()["message"]


def test_token_of_one_app_calls_no_other(product: Product) -> None:
    """A token for one app gets 403, naming its apps, for methods of another, even from the administrator."""
    token = command(product, "--user", "admin", "--app", "cloudapi")
    assert product.call("cloudapi/locations/list", token=token).status_code == 200
    refused = product.call("system/usermanager/listUsers", token=token)
    assert refused.status_code == 403
    assert "apps cloudapi, not system" in refused.json()["message"]


def test_limited_token_cannot_make_a_wider_one(product: Product) -> None:
    """A token with a scope cannot create tokens, nor can a user for somebody else."""
    narrow = command(product, "--user", "admin", "--app", "system")
    assert product.call("system/tokens/create", token=narrow, name="wide").status_code == 403
    other = product.user_token("token.tom")
    assert product.call("system/tokens/create", token=other, name="theft", user="admin").status_code == 403
    assert product.call("system/tokens/list", token=other, user="admin").status_code == 403


def test_token_is_made_listed_and_revoked_by_its_owner(product: Product) -> None:
    """A user makes a token, sees it without its secret, and revokes it, which holds at once; others cannot."""
    owner = product.user_token("token.tina")
    made = product.call("system/tokens/create", token=owner, name="ci", expires="12h").json()
    listed = product.call("system/tokens/list", token=owner)
    row = next(row for row in listed.json() if row["name"] == "ci")
    assert made not in listed.text
    assert row["expires"] - row["created"] == pytest.approx(12 * 3600, abs=5)
    stranger = product.user_token("token.stan")
    assert product.call("system/tokens/revoke", token=stranger, tokenId=row["id"]).status_code == 403
    assert product.call("system/usermanager/whoami", token=made).json()["name"] == "token.tina"
    assert product.call("system/tokens/revoke", token=owner, tokenId=row["id"]).json() is True
    assert product.call("system/usermanager/whoami", token=made).status_code == 401


def test_token_is_never_in_the_address(product: Product) -> None:
    """A credential in the query string speaks for nobody: addresses end up in logs (the originals took authkey=)."""
    for name in ("authkey", "token", "access_token"):
        address = f"{product.url}/restmachine/system/usermanager/whoami?{name}={product.token}"
        assert requests.get(address, timeout=10).json()["name"] == "guest"


@pytest.mark.usefixtures("database")
def test_only_hashes_are_stored() -> None:
    """What lies in the database cannot be used as a token."""
    create_user("alice", "a-password", groups=[])
    secret = create_token("alice", "x")
    row = ApiToken.collection().find_one({"user": "alice"})
    assert row is not None
    assert secret not in str(row)
    assert token_principal(row["hash"]) is None


def test_expired_token_is_unknown(database: Database[dict[str, Any]]) -> None:
    """A token whose time is over speaks for nobody, before MongoDB has dropped it."""
    create_user("alice", "a-password", groups=[])
    secret = create_token("alice", "x", expires="1m", scope=Scope(frozenset({"cloudapi"}), readonly=True))
    found = token_principal(secret)
    assert found is not None
    assert (found[0].apps, found[0].readonly) == (frozenset({"cloudapi"}), True)
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    database["api_token"].update_one({}, {"$set": {"expires": past}})
    assert token_principal(secret) is None
    with pytest.raises(InvalidError, match="time to live"):
        create_token("alice", "x", expires="soon")


def test_use_is_noted_once_a_minute(database: Database[dict[str, Any]]) -> None:
    """The last use is written at most once a minute, whatever the number of calls."""
    note_use("token:1")
    first = last_uses(["token:1"])
    note_use("token:1")
    assert last_uses(["token:1"]) == first
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=61)
    database["credential_use"].update_one({}, {"$set": {"seen": past}})
    note_use("token:1")
    assert last_uses(["token:1"])["token:1"] >= first["token:1"]
