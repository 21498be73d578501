"""Bearer JWTs: our own issuer as existing clients use it, and configured ones."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm
from product import Product
from pymongo.database import Database

from portalfw.auth.issuer import JwtIssuer
from portalfw.auth.jwt_check import JwtCheck
from portalfw.auth.jwt_issue import JwtIssue
from portalfw.auth.jwt_keys import FILE, jwks
from portalfw.auth.tokens import create_token, revoke_token
from portalfw.auth.users import create_user
from portalfw.errors import StartError, UnauthenticatedError
from portalfw.settings import Settings

WHO = "system/usermanager/whoami"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder for keys."""
    found = Path(tempfile.mkdtemp(prefix="pfw-"))
    yield found
    shutil.rmtree(found)


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    public = key.public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(serialization.Encoding.PEM, form).decode()


def claims(**others: Any) -> dict[str, Any]:
    return {"username": "alice", "iss": "itsyouonline", "exp": int(time.time()) + 60, **others}


def test_go_clients_get_a_jwt_by_form_and_python_clients_by_query(product: Product) -> None:
    """The token endpoint answers the bare JWT, signed with ES384 by the published key; it is good for calls."""
    token = product.user_token("jwt.jo")
    address = f"{product.url}/v1/oauth/access_token"
    asked = {"grant_type": "client_credentials", "client_id": "jwt.jo", "client_secret": token}
    by_form = requests.post(address, data={**asked, "response_type": "id_token"}, timeout=10)
    by_query = requests.post(address, params={**asked, "validity": "600", "scope": "offline_access"}, timeout=10)
    keys = requests.get(f"{product.url}/.well-known/jwks.json", timeout=10).json()["keys"]
    for answer in (by_form, by_query):
        assert answer.status_code == 200
        assert jwt.get_unverified_header(answer.text)["alg"] == "ES384"
        key = next(key for key in keys if key["kid"] == jwt.get_unverified_header(answer.text)["kid"])
        read = jwt.decode(answer.text, jwt.PyJWK(key).key, ["ES384"])
        assert (read["username"], read["iss"]) == ("jwt.jo", "portalfw")
        called = requests.post(
            f"{product.url}/restmachine/{WHO}", headers={"Authorization": f"bearer {answer.text}"}, timeout=10
        )
        assert called.json()["name"] == "jwt.jo"
    assert "d" not in keys[0]
    assert "refresh_token" not in jwt.decode(by_form.text, options={"verify_signature": False})
    read = jwt.decode(by_query.text, options={"verify_signature": False})
    assert "refresh_token" in read
    assert read["exp"] - read["iat"] == 600


def test_refresh_gives_a_new_jwt_to_refreshable_ones_only(product: Product) -> None:
    """The refresh endpoint exchanges a refreshable JWT, until its API token is revoked; then its JWTs are 401 too."""
    token = product.user_token("jwt.rob")
    asked = {"grant_type": "client_credentials", "client_id": "jwt.rob", "client_secret": token}
    address = f"{product.url}/v1/oauth/access_token"
    plain = requests.post(address, data=asked, timeout=10).text
    refreshable = requests.post(address, data={**asked, "scope": "offline_access"}, timeout=10).text

    def refresh(text: str) -> requests.Response:
        headers = {"Authorization": f"bearer {text}"}
        return requests.get(
            f"{product.url}/v1/oauth/jwt/refresh", params={"validity": "3600"}, headers=headers, timeout=10
        )

    assert refresh(plain).status_code == 401
    fresh = refresh(refreshable)
    assert fresh.status_code == 200
    assert product.call(WHO, token=fresh.text).json()["name"] == "jwt.rob"
    row = product.ask("system/tokens/list", user="jwt.rob")[0]
    product.ask("system/tokens/revoke", tokenId=row["id"])
    assert product.call(WHO, token=fresh.text).status_code == 401
    assert refresh(refreshable).status_code == 401


def test_wrong_clients_get_401_in_words(product: Product) -> None:
    """A wrong secret, or another's name with a right one, is 401 with bare text; another grant type 400."""
    token = product.user_token("jwt.will")
    address = f"{product.url}/v1/oauth/access_token"
    asked = {"grant_type": "client_credentials", "client_id": "jwt.will", "client_secret": token}
    for wrong in ({"client_secret": "pfw_x"}, {"client_id": "admin"}, {"client_id": ""}):
        answer = requests.post(address, data=asked | wrong, timeout=10)
        assert answer.status_code == 401
        assert answer.text.startswith("client_id or client_secret is wrong")
    assert requests.post(address, data=asked | {"grant_type": "password"}, timeout=10).status_code == 400
    assert product.call(WHO, token="a.b.c").status_code == 401


def test_scope_of_the_token_limits_its_jwts(product: Product) -> None:
    """A JWT can do no more than the API token that it was made for."""
    token = product.ask("system/tokens/create", name="narrow", apps=["cloudapi"], readonly=True)
    asked = {"grant_type": "client_credentials", "client_id": "narrow", "client_secret": token}
    made = requests.post(f"{product.url}/v1/oauth/access_token", data=asked, timeout=10).text
    assert product.call("cloudapi/locations/list", token=made).status_code == 200
    assert product.call("system/usermanager/listUsers", token=made).status_code == 403


@pytest.mark.usefixtures("database")
def test_key_is_made_once_and_private(folder: Path) -> None:
    """The signing key is made once, readable by its owner only, and every process takes what another has signed."""
    create_user("alice", "a-password", groups=[])
    secret = create_token("alice", "x")
    one, two = JwtIssue(Settings(state=folder / "one")), JwtIssue(Settings(state=folder / "two"))
    again = JwtIssue(Settings(state=folder / "one"))
    check = JwtCheck([])
    for issue in (one, two, again):
        assert check(issue.access("alice", secret))[0].name == "alice"
    assert len(jwks()["keys"]) == 2
    assert (folder / "one" / "secrets" / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("database")
def test_expired_jwt_is_refused_but_may_be_refreshed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expired JWT is refused for calls; a refreshable one is exchanged within thirty days, unless revoked."""
    create_user("alice", "a-password", groups=[])
    issue, check = JwtIssue(Settings(state=folder)), JwtCheck([])
    secret = create_token("alice", "x")
    with monkeypatch.context() as yesterday:
        moment = time.time() - 86400
        yesterday.setattr("portalfw.auth.jwt_issue.time.time", lambda: moment)
        old = issue.access("alice", secret, validity=600, refreshable=True)
    with pytest.raises(UnauthenticatedError, match="expired"):
        check(old)
    assert check(issue.refresh(old))[0].name == "alice"
    revoke_token(1)
    with pytest.raises(UnauthenticatedError):
        issue.refresh(old)


@pytest.mark.usefixtures("database")
def test_every_configured_issuer_is_tried(folder: Path) -> None:
    """JWTs of any configured issuer are taken, by PEM or key set, as user@issuer (the originals tried the first)."""
    create_user("alice@itsyouonline", "a-password", groups=[])
    create_user("alice@corp", "a-password", groups=[])
    elliptic, another, big = (
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    )
    key_set = folder / "jwks.json"
    key_set.write_text(json.dumps({"keys": [{**RSAAlgorithm.to_jwk(big.public_key(), as_dict=True), "kid": "k1"}]}))
    check = JwtCheck(
        [
            JwtIssuer(name="corp", issuer="https://id.corp", jwks=key_set, algorithms=("RS256",), audience="portal"),
            JwtIssuer(name="itsyouonline", public_key=pem(another)),
            JwtIssuer(name="itsyouonline", public_key=pem(elliptic)),
        ]
    )
    assert check(jwt.encode(claims(), elliptic, "ES384"))[0].name == "alice@itsyouonline"
    theirs = claims(iss="https://id.corp", aud="portal")
    assert check(jwt.encode(theirs, big, "RS256", headers={"kid": "k1"}))[0].name == "alice@corp"
    with pytest.raises(UnauthenticatedError, match="aud"):
        check(jwt.encode(claims(iss="https://id.corp", aud="shop"), big, "RS256", headers={"kid": "k1"}))


def test_bad_jwts_are_refused(database: Database[dict[str, Any]]) -> None:
    """Unsigned, expired, endless, foreign and wrongly signed JWTs, and those of nobody here, speak for nobody."""
    assert database.name
    create_user("alice@itsyouonline", "a-password", groups=[])
    key, other = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
    check = JwtCheck([JwtIssuer(name="itsyouonline", public_key=pem(key))])
    endless = claims()
    del endless["exp"]
    bad = [
        jwt.encode(claims(), None, "none"),  # the originals skipped verification in places
        jwt.encode(claims(), "x" * 64, "HS384"),
        jwt.encode(claims(exp=int(time.time()) - 60), key, "ES384"),
        jwt.encode(endless, key, "ES384"),
        jwt.encode(claims(), other, "ES384"),
        jwt.encode(claims(iss="elsewhere"), key, "ES384"),
        jwt.encode(claims(username="mallory"), key, "ES384"),
        jwt.encode(claims(username="x@y"), key, "ES384"),
        "a.b.c",
        "..",
    ]
    assert check(jwt.encode(claims(), key, "ES384"))[0].name == "alice@itsyouonline"
    for token in bad:
        with pytest.raises(UnauthenticatedError):
            check(token)


def test_unreadable_keys_stop_the_start() -> None:
    """A key that cannot be read is said at the start, with the issuer's name; a shared secret is no algorithm."""
    with pytest.raises(StartError, match="keys of corp"):
        JwtCheck([JwtIssuer(name="corp", public_key="no key")])
    with pytest.raises(ValueError, match="HS256"):
        JwtIssuer.model_validate({"name": "corp", "public_key": "x", "algorithms": ["HS256"]})
