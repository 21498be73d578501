"""Signing in at a provider: who one is here, with what rights, for how long."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from oidc_sso import Sso
from oidc_visitor import Visitor, reason
from product import Product

from portalfw.auth.second_factor import current_step, totp


def user(product: Product, name: str) -> dict[str, Any]:
    return dict(product.ask("system/usermanager/userget", name=name))


def records(product: Product) -> list[dict[str, Any]]:
    found = product.ask("system/audits/listAudits", limit=200)
    return [row for row in found if row["call"] == "login/oidc"]


def test_somebody_new_becomes_a_user(sso: Sso, visitor: Visitor) -> None:
    """Who comes for the first time is made a user of the provider, with the groups that its claim stands for."""
    sso.provider.says("alice", groups=["operators", "others"], email="alice@example.org", email_verified=True)
    answer = visitor.sign_in("sso", "alice", "/cbgrid/Accounts")
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/cbgrid/Accounts")
    assert visitor.who == "alice@sso"
    found = user(sso.product, "alice@sso")
    assert (found["groups"], found["emails"]) == (["level1", "level2", "user"], ["alice@example.org"])
    row = records(sso.product)[0]
    assert (row["user"], row["status"], row["arguments"]) == ("alice@sso", 200, {"provider": "sso"})


def test_request_to_the_provider_is_bound(visitor: Visitor) -> None:
    """The browser goes out with a code challenge (S256), a state and a nonce; the cookie is out of reach."""
    address = visitor.leave("sso")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == f"{visitor.portal}/login/oidc/sso/callback"
    assert asked["scope"] == "openid profile email"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    header = visitor.get(f"{visitor.portal}/login/oidc/sso").headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/login/oidc" in header


def test_groups_follow_the_claim_and_others_stay(sso: Sso, visitor: Visitor) -> None:
    """At each sign-in the mapped groups are those that the claim gives; what an administrator gave stays."""
    sso.provider.says("greta", groups=["owners", "operators"])
    visitor.sign_in("sso", "greta")
    assert user(sso.product, "greta@sso")["groups"] == ["admin", "level1", "level2", "user"]
    sso.product.ask("system/usermanager/createGroup", name="gardeners")
    kept = ["admin", "level1", "level2", "gardeners"]
    sso.product.ask("system/usermanager/editUser", username="greta@sso", groups=kept)
    sso.provider.says("greta", groups=["operators"])
    sso.visitor().sign_in("sso", "greta")
    assert user(sso.product, "greta@sso")["groups"] == ["gardeners", "level1", "level2"]
    assert visitor.get(f"{visitor.portal}/restmachine/system/usermanager/listUsers").status_code == 403


def test_person_is_known_by_subject_not_by_name(sso: Sso) -> None:
    """Who is called otherwise at the provider stays the same user; whoever takes the old name is not let in as it."""
    sso.provider.says("subject-1", preferred_username="nora")
    sso.visitor().sign_in("sso", "subject-1")
    sso.provider.says("subject-1", preferred_username="nora.married")
    again = sso.visitor()
    again.sign_in("sso", "subject-1")
    assert again.who == "nora@sso"
    sso.provider.says("subject-2", preferred_username="nora")
    other = sso.visitor()
    answer = other.sign_in("sso", "subject-2")
    assert answer.status_code == 403
    assert "nora@sso belongs to somebody else at Example SSO" in reason(answer)
    assert other.who == "guest"


def test_session_is_new_at_each_sign_in(sso: Sso, visitor: Visitor) -> None:
    """A second sign-in gives another session; the one before has ended."""
    visitor.sign_in("sso", "sessa")
    before = visitor.cookies()["portalfw_session"]
    visitor.sign_in("sso", "sessa")
    assert visitor.cookies()["portalfw_session"] != before
    sessions = sso.product.ask("system/sessions/list", user="sessa@sso")
    assert len(sessions) == 1


def test_deleted_user_is_nobody_until_made_anew(sso: Sso) -> None:
    """A deleted user's rights do not come back with the person: another user is made, with what the claim gives now."""
    sso.provider.says("dora", groups=["owners"])
    sso.visitor().sign_in("sso", "dora")
    before = user(sso.product, "dora@sso")
    sso.product.ask("system/usermanager/delete", username="dora@sso")
    sso.provider.says("dora", groups=[])
    assert sso.visitor().sign_in("sso", "dora").status_code == 303
    after = user(sso.product, "dora@sso")
    assert (after["id"] > before["id"], after["groups"]) == (True, ["user"])


def test_key_that_is_new_is_fetched(sso: Sso, visitor: Visitor) -> None:
    """An id token signed with a key published since the last look is taken, with the groups that it names itself."""
    assert visitor.sign_in("rotated", "rosa").status_code == 303
    assert user(sso.product, "rosa@rotated")["groups"] == ["level1"]


def test_public_client_needs_no_secret(visitor: Visitor) -> None:
    """Without a client secret the code challenge alone proves who asks."""
    assert visitor.sign_in("public", "paul").status_code == 303
    assert visitor.who == "paul@public"


def test_user_that_an_administrator_made_may_enter(sso: Sso, visitor: Visitor) -> None:
    """Where unknown users are not created, one that an administrator has created under the right name gets in."""
    sso.product.ask("system/usermanager/create", username="carl@closed", password="never-told-anybody")
    assert visitor.sign_in("closed", "carl").status_code == 303
    assert visitor.who == "carl@closed"


def test_verified_address_links_where_that_is_set(sso: Sso) -> None:
    """A verified e-mail address opens the user who has it, if the setting says so; an unverified one never does."""
    sso.product.ask("system/usermanager/create", username="mia", password="mias-password", emails=["mia@example.org"])
    sso.provider.says("liar", email="mia@example.org", email_verified=False)
    assert sso.visitor().sign_in("mail", "liar").status_code == 403
    sso.provider.says("mia.s", email="mia@example.org", email_verified=True)
    not_linked = sso.visitor()
    not_linked.sign_in("sso", "mia.s")
    assert not_linked.who == "mia.s@sso"
    linked = sso.visitor()
    assert linked.sign_in("mail", "mia.s").status_code == 303
    assert linked.who == "mia"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example", "evil"])
def test_sign_in_leads_to_our_pages_only(visitor: Visitor, target: str) -> None:
    """No link to the sign-in sends people to another site afterwards."""
    assert visitor.sign_in("sso", "leo", target).headers["Location"] == "/"


def test_leaving_offers_to_leave_the_provider_too(sso: Sso, visitor: Visitor) -> None:
    """Who signs out is told that the provider may still know the browser, and can sign out there and come back."""
    visitor.sign_in("sso", "otto")
    page = visitor.post("/logout")
    assert visitor.who == "guest"
    assert "Sign out of Example SSO too" in page.text
    assert f"{sso.provider.url}/session/end?" in page.text
    assert "id_token_hint=" in page.text
    password = sso.visitor()
    password.sign_in("closed", "nobody.here")
    assert password.post("/logout").headers["Location"] == "/login"


def test_other_sign_in_pages_learn_the_ways(sso: Sso, visitor: Visitor) -> None:
    """A page of somebody else's learns the providers, and where to send the browser to sign in there and out again."""
    call = f"{visitor.portal}/restmachine/system/oauth"
    listed = {row["name"]: row for row in visitor.get(f"{call}/listProviders").json()}
    assert listed["sso"]["title"] == "Example SSO"
    address = visitor.get(f"{call}/authenticate?type=sso&redirect=/cbgrid/Machines").json()
    assert address == "/login/oidc/sso?next=%2Fcbgrid%2FMachines"
    assert visitor.get(f"{call}/authenticate?type=nobody").status_code == 404
    assert visitor.get(f"{call}/getOauthLogoutURl").status_code == 401
    visitor.sign_in("sso", "vera")
    out = visitor.get(f"{call}/getOauthLogoutURl").json()
    assert out.startswith(f"{sso.provider.url}/session/end?id_token_hint=")
    assert visitor.get(out).status_code == 200
    assert sso.product.ask("system/oauth/getOauthLogoutUrl") == ""


def test_second_factor_is_asked_for_here_too(sso: Sso, visitor: Visitor) -> None:
    """Who is linked to a user with a second factor must show it; the provider's word is not enough."""
    address = "tina@example.org"
    sso.product.ask("system/usermanager/create", username="tina", password="tinas-password", emails=[address])
    token = sso.product.ask("system/tokens/create", name="x", user="tina")
    enrolment = sso.product.call("system/secondfactor/enrol", token=token, current="tinas-password").json()
    confirmed = sso.product.call(
        "system/secondfactor/confirm", token=token, code=totp(enrolment["secret"], current_step())
    )
    assert confirmed.status_code == 200, confirmed.text
    sso.provider.says("tina.t", email=address, email_verified=True)
    answer = visitor.sign_in("mail", "tina.t", "/cbgrid")
    assert answer.status_code == 200
    assert "Second factor" in answer.text
    assert visitor.who == "guest"
    done = visitor.post("/login/code", code=confirmed.json()[0], next="/cbgrid")
    assert (done.status_code, done.headers["Location"]) == (303, "/cbgrid")
    assert visitor.who == "tina"
