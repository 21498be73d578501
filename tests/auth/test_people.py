"""Users, groups and sessions: who may be changed by whom, and that nobody is locked out of the house."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from product import Product
from pymongo.database import Database

from portalfw.auth.groups import edit_group
from portalfw.auth.user_changes import delete_user, edit_user
from portalfw.auth.users import create_user, ensure_groups, find_user
from portalfw.errors import ConflictError

WHO = "restmachine/system/usermanager/whoami"


def signed_in(product: Product, name: str, password: str) -> requests.Session:
    browser = requests.Session()
    browser.headers["Sec-Fetch-Site"] = "same-origin"
    form = {"name": name, "password": password}
    answer = browser.post(f"{product.url}/login", data=form, allow_redirects=False, timeout=10)
    assert answer.status_code == 303
    return browser


def who(product: Product, browser: requests.Session) -> str:
    return str(browser.get(f"{product.url}/{WHO}", timeout=10).json()["name"])


def post(product: Product, browser: requests.Session, address: str, **arguments: Any) -> requests.Response:
    return browser.post(f"{product.url}/restmachine/system/{address}", json=arguments, timeout=10)


def test_sessions_are_listed_and_ended(product: Product) -> None:
    """A user sees its own sessions only, ends one or all others, and stays signed in itself; others cannot."""
    product.user_token("session.sue")
    here, there, third = (signed_in(product, "session.sue", "session.sue-password") for _ in range(3))
    rows = post(product, here, "sessions/list").json()
    assert {row["user"] for row in rows} == {"session.sue"}
    assert len(rows) == 3
    assert sum(row["current"] for row in rows) == 1
    assert rows[0]["address"] == "127.0.0.1"
    assert rows[0]["seen"] >= rows[0]["created"] - 1
    own = next(row["id"] for row in post(product, there, "sessions/list").json() if row["current"])
    stranger = product.user_token("session.stan")
    assert product.call("system/sessions/end", token=stranger, sessionId=own).status_code == 403
    assert post(product, here, "sessions/end", sessionId=own).json() is True
    assert who(product, there) == "guest"
    assert post(product, here, "sessions/endOthers").json() == 1
    assert (who(product, here), who(product, third)) == ("session.sue", "guest")


def test_password_change_ends_other_sessions(product: Product) -> None:
    """A password is changed with the current one only; all other browsers are signed out."""
    product.user_token("pass.pia")
    here, there = (signed_in(product, "pass.pia", "pass.pia-password") for _ in range(2))
    wrong = post(product, here, "usermanager/setPassword", password="another-password", current="guess")
    assert (wrong.status_code, wrong.json()["detail"]) == (403, {"argument": "current"})
    right = post(product, here, "usermanager/setPassword", password="another-password", current="pass.pia-password")
    assert right.json() is True
    assert (who(product, here), who(product, there)) == ("pass.pia", "guest")
    assert who(product, signed_in(product, "pass.pia", "another-password")) == "pass.pia"
    other = product.user_token("pass.paul")
    assert (
        product.call("system/usermanager/setPassword", token=other, user="admin", password="x" * 9).status_code == 403
    )


def test_session_is_replaced_at_sign_in(product: Product) -> None:
    """A new sign-in gets a new session and ends the one whose cookie it came with (the originals kept it)."""
    product.user_token("rotate.rita")
    browser = signed_in(product, "rotate.rita", "rotate.rita-password")
    planted = dict(browser.cookies)
    form = {"name": "rotate.rita", "password": "rotate.rita-password"}
    browser.post(f"{product.url}/login", data=form, allow_redirects=False, timeout=10)
    assert dict(browser.cookies) != planted
    assert requests.get(f"{product.url}/{WHO}", cookies=planted, timeout=10).json()["name"] == "guest"


def test_inactive_and_deleted_users_are_out_at_once(product: Product) -> None:
    """Who is made inactive, or is deleted, is signed out, and its tokens are worthless."""
    token = product.user_token("leaving.leo", "level1")
    browser = signed_in(product, "leaving.leo", "leaving.leo-password")
    product.ask("system/usermanager/editUser", username="leaving.leo", active=False)
    assert who(product, browser) == "guest"
    assert product.call("system/usermanager/whoami", token=token).status_code == 401
    product.ask("system/usermanager/editUser", username="leaving.leo", active=True, groups=["level2"])
    assert product.call("system/usermanager/whoami", token=token).json()["groups"] == ["level2"]
    product.ask("system/usermanager/delete", username="leaving.leo")
    assert product.call("system/usermanager/whoami", token=token).status_code == 401
    assert product.call("system/usermanager/userget", name="leaving.leo").status_code == 404


def test_protected_users_and_groups_stay(product: Product) -> None:
    """The first administrator, and the groups that shipped rights speak of, cannot be deleted."""
    assert product.call("system/usermanager/delete", username="admin").status_code == 400
    assert product.call("system/usermanager/deleteGroup", name="level1").status_code == 400


def test_groups_are_made_edited_and_deleted(product: Product) -> None:
    """A group gets and loses users, and takes its memberships with it."""
    token = product.user_token("group.gil")
    product.ask("system/usermanager/createGroup", name="painters", description="Paint")
    assert product.call("system/usermanager/createGroup", name="painters").status_code == 409
    product.ask("system/usermanager/editGroup", name="painters", users=["group.gil"])
    assert product.ask("system/usermanager/getgroup", name="painters")["users"] == ["group.gil"]
    assert product.call("system/usermanager/whoami", token=token).json()["groups"] == ["painters"]
    assert product.call("system/usermanager/editGroup", name="painters", users=["nobody.else"]).status_code == 400
    product.ask("system/usermanager/removeFromGroup", name="painters", username="group.gil")
    assert product.call("system/usermanager/whoami", token=token).json()["groups"] == []
    product.ask("system/usermanager/editUser", username="group.gil", groups=["painters"])
    product.ask("system/usermanager/deleteGroup", name="painters")
    assert product.call("system/usermanager/whoami", token=token).json()["groups"] == []


@pytest.mark.usefixtures("database")
def test_last_administrator_stays() -> None:
    """The only active administrator cannot be deleted, made inactive, or taken out of the group, by any way."""
    ensure_groups()
    create_user("root", "a-password", groups=["admin"])
    create_user("old-root", "a-password", groups=["admin"])
    edit_user("old-root", active=False)
    for change in (
        lambda: delete_user("root"),
        lambda: edit_user("root", active=False),
        lambda: edit_user("root", groups=["level1"]),
        lambda: edit_group("admin", users=["old-root"]),
        lambda: edit_group("admin", users=[]),
    ):
        with pytest.raises(ConflictError, match="last active administrator"):
            change()
        assert (find_user("root").active, find_user("root").groups) == (True, ["admin"])


def test_emails_are_unique_and_well_formed(database: Database[dict[str, Any]]) -> None:
    """No two users have the same e-mail address, whichever way it came; any number has none."""
    create_user("alice", "a-password", groups=[], emails=["a@example.com"])
    create_user("bob", "a-password", groups=[])
    create_user("carol", "a-password", groups=[])
    with pytest.raises(ConflictError, match="e-mail"):
        create_user("dave", "a-password", groups=[], emails=["a@example.com"])
    with pytest.raises(ConflictError, match="e-mail"):
        edit_user("bob", emails=["a@example.com"])
    with pytest.raises(ValueError, match="not an e-mail"):
        edit_user("bob", emails=["bob"])
    assert database["user"].count_documents({"emails": "a@example.com"}) == 1


def test_passwords_are_hashed_slowly(database: Database[dict[str, Any]]) -> None:
    """A password lies in the database as argon2id only (the originals kept MD5, later crypt)."""
    create_user("alice", "a-password", groups=[])
    row = database["user"].find_one({"name": "alice"})
    assert row is not None
    assert row["password_hash"].startswith("$argon2id$v=19$m=65536")
    assert "a-password" not in str(row)
