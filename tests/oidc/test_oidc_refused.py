"""Sign-ins that must fail: each with words that help, no session, and a record."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from oidc_sso import FAULTS, Sso
from oidc_visitor import Visitor, reason
from product import wait_for

WORDS = {
    "audience": "Invalid claim: 'aud'",
    "issuer": "'iss'",
    "expired": "expired",
    "future": "issued in the future",
    "nonce": "'nonce'",
    "key": "a key that the provider does not publish",
    "signature": "signature",
    "secret": "Algorithm of 'HS256' is not allowed",
    "none": "Algorithm of 'none' is not allowed",
    "missing": "no id token",
}


def changed(address: str, **given: str | None) -> str:
    """Return an address with some arguments changed, or taken out if None."""
    parts = urlsplit(address)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()} | given
    return parts._replace(query=urlencode({name: one for name, one in asked.items() if one is not None})).geturl()


def last_record(sso: Sso) -> tuple[str, int, str]:
    row = next(row for row in sso.product.ask("system/audits/listAudits") if row["call"] == "login/oidc")
    return row["user"], row["status"], row["error"]


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_id_token_is_refused(sso: Sso, visitor: Visitor, fault: str) -> None:
    """An id token that is wrong in any way gives no session and no user, but a reason, also on record."""
    answer = visitor.sign_in(f"fault-{fault}", "fay")
    assert answer.status_code == 401
    said = reason(answer)
    assert said.startswith(f"fault-{fault} sent an id token that is not accepted: ")
    assert WORDS[fault] in said
    assert visitor.who == "guest"
    assert sso.product.call("system/usermanager/userget", name=f"fay@fault-{fault}").status_code == 404
    assert last_record(sso) == ("guest", 401, said)


def test_nonce_of_another_request_is_refused(visitor: Visitor) -> None:
    """An id token that was made for another request is not taken."""
    back = visitor.authenticate(changed(visitor.leave("sso"), nonce="another"), "ned")
    answer = visitor.get(back)
    assert answer.status_code == 401
    assert "'nonce'" in reason(answer)


def test_state_is_the_browsers_own(sso: Sso, visitor: Visitor) -> None:
    """A code with an unknown state, or with that of another browser, opens nothing: nobody is signed in unasked."""
    for name in ("state", "iss"):
        back = visitor.authenticate(visitor.leave("sso"), "sam")
        answer = visitor.get(changed(back, **{name: "https://elsewhere.example"}))
        assert answer.status_code == 401
        assert "egin again" in reason(answer)
    stolen = visitor.authenticate(visitor.leave("sso"), "sam")
    victim = sso.visitor()
    victim.leave("sso")
    answer = victim.get(stolen)
    assert answer.status_code == 401
    assert "not begun in this browser" in reason(answer)
    assert victim.who == visitor.who == "guest"


def test_answer_must_name_its_issuer_where_that_was_promised(visitor: Visitor) -> None:
    """A provider that says that it names itself in answers is held to it (RFC 9207)."""
    back = visitor.authenticate(visitor.leave("sso"), "ines")
    answer = visitor.get(changed(back, iss=None))
    assert answer.status_code == 401
    assert "names no issuer" in reason(answer)


def test_answer_is_good_once(visitor: Visitor) -> None:
    """The address that the provider leads back to opens nothing a second time, and cannot go to another provider."""
    misled = visitor.authenticate(visitor.leave("sso"), "rita")
    assert visitor.get(misled.replace("/oidc/sso/", "/oidc/public/")).status_code == 401
    back = visitor.authenticate(visitor.leave("sso"), "rita")
    assert visitor.get(back).status_code == 303
    visitor.post("/logout")
    answer = visitor.get(back)
    assert answer.status_code == 401
    assert "finished before" in reason(answer)


def test_code_is_good_once_and_with_its_verifier(visitor: Visitor) -> None:
    """A code that was used, or was given for another request, is refused by the provider; its words are shown."""
    used = visitor.authenticate(visitor.leave("sso"), "cora")
    code = parse_qs(urlsplit(used).query)["code"][0]
    assert visitor.get(used).status_code == 303
    for wrong in (code, "made-up"):
        answer = visitor.get(changed(visitor.authenticate(visitor.leave("sso"), "cora"), code=wrong))
        assert answer.status_code == 401
        assert "Example SSO did not take back its code: invalid_grant" in reason(answer)


def test_refusal_of_the_provider_is_shown(visitor: Visitor) -> None:
    """What the provider gives as reason reaches the person, as text; the attempt is used up by it."""
    state = parse_qs(urlsplit(visitor.leave("sso")).query)["state"][0]
    issuer = visitor.authenticate(visitor.leave("sso"), "dan")
    given = {
        "error": "access_denied",
        "error_description": "<script>alert(1)</script> you may not",
        "state": state,
        "iss": parse_qs(urlsplit(issuer).query)["iss"][0],
    }
    answer = visitor.get(f"{visitor.portal}/login/oidc/sso/callback?{urlencode(given)}")
    assert answer.status_code == 401
    assert reason(answer) == ("Example SSO did not sign you in: access_denied <script>alert(1)</script> you may not.")
    assert "<script>alert" not in answer.text
    assert "finished before" in reason(visitor.get(f"{visitor.portal}/login/oidc/sso/callback?{urlencode(given)}"))


def test_inactive_user_is_not_let_in(sso: Sso, visitor: Visitor) -> None:
    """A user whom an administrator has made inactive stays out, however sure the provider is."""
    assert visitor.sign_in("sso", "ida").status_code == 303
    sso.product.ask("system/usermanager/editUser", username="ida@sso", active=False)
    assert visitor.who == "guest"
    answer = visitor.sign_in("sso", "ida")
    assert answer.status_code == 403
    assert reason(answer) == "User ida@sso is inactive; an administrator can let it in again."


def test_unknown_user_is_not_created_unless_that_is_set(sso: Sso, visitor: Visitor) -> None:
    """Where unknown users are not created, the person learns the name to ask an administrator for."""
    answer = visitor.sign_in("closed", "uma")
    assert answer.status_code == 403
    assert reason(answer) == "There is no user uma@closed here; ask an administrator to create it."
    assert last_record(sso)[1] == 403


def test_only_who_has_a_required_claim_may_enter(sso: Sso, visitor: Visitor) -> None:
    """A required claim keeps everybody out to whom the provider does not give it."""
    sso.provider.says("quin", groups=["visitors"])
    answer = visitor.sign_in("staff", "quin")
    assert answer.status_code == 403
    assert "only people whose groups is staff or guests may enter" in reason(answer)
    sso.provider.says("quin", groups=["visitors", "guests"])
    assert visitor.sign_in("staff", "quin").status_code == 303


def test_name_that_cannot_be_one_is_refused(sso: Sso, visitor: Visitor) -> None:
    """A claim that is no user name is shown with the rule; of an address, what stands before the @ counts."""
    sso.provider.says("subject-3", preferred_username="dr. who")
    answer = visitor.sign_in("sso", "subject-3")
    assert answer.status_code == 403
    assert "'dr. who' as preferred_username" in reason(answer)
    sso.provider.says("subject-3", preferred_username="doctor@example.org")
    assert visitor.sign_in("sso", "subject-3").status_code == 303
    assert visitor.who == "doctor@sso"


def test_provider_that_is_away_is_said_to_be(visitor: Visitor) -> None:
    """The sign-in page says which provider cannot be reached; pressing its button says it too, and the rest works."""
    answer = visitor.get(f"{visitor.portal}/login/oidc/away")
    assert answer.status_code == 503
    assert reason(answer).startswith("away cannot be reached now.")

    def others_are_there() -> bool:
        page = visitor.get(f"{visitor.portal}/login").text
        assert "away cannot be reached now." in page
        return page.count("cannot be reached now.") == 1

    wait_for(others_are_there, what="a look at the providers that were away when the portal started")


def test_unknown_provider_is_said_to_be(visitor: Visitor) -> None:
    """An address with a provider that is not configured leads to the sign-in page with these words."""
    for path in ("/login/oidc/nobody", "/login/oidc/nobody/callback?state=x&code=y"):
        answer = visitor.get(visitor.portal + path)
        assert answer.status_code == 404
        assert "No provider called 'nobody'" in reason(answer)
