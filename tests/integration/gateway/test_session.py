from tests.integration.gateway.conftest import ACCESS_KEY, PASSWORD, USERNAME, System


async def test_the_first_customer_is_there_with_key_and_administrator(system: System) -> None:
    customer = await system.ok("GET", "/v1.0/customer")
    me = await system.ok("GET", "/me")
    assert me["customer_id"] == customer["id"]
    assert me["permission"] == 32
    agents = await system.ok("GET", "/v1.0/agents")
    assert [agent["username"] for agent in agents["result"]] == [USERNAME]


async def test_login_works_with_and_without_the_prefix(system: System) -> None:
    for path in ("/auth/login", "/v1.0/auth/login"):
        answer = await system.http.post(path, json={"username": USERNAME, "password": PASSWORD})
        assert answer.status_code == 200
        assert answer.json()["username"] == USERNAME
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie
        system.http.cookies.clear()
        token = answer.json()["token"]
        me = await system.ok("GET", "/me", headers={"Authorization": f"Bearer {token}"})
        assert me["username"] == USERNAME


async def test_a_failed_login_is_a_400_with_the_envelope(system: System) -> None:
    error = await system.refused(
        400, "POST", "/auth/login", {"username": USERNAME, "password": "wrong"}, headers={}
    )
    assert error["reason"] == "INVALID_CREDENTIALS"


async def test_keys_and_tokens_are_taken_in_every_documented_place(system: System) -> None:
    answer = await system.http.post(
        "/auth/login", json={"username": USERNAME, "password": PASSWORD}
    )
    system.http.cookies.clear()
    for credential in (ACCESS_KEY, answer.json()["token"]):
        for place in ("token", "accesskey"):
            await system.ok("GET", f"/v1.0/campaigns?{place}={credential}", headers={})
            await system.ok("GET", "/campaigns", headers={"Cookie": f"{place}={credential}"})
        await system.ok("GET", "/campaigns", headers={"Authorization": f"bearer {credential}"})


async def test_a_stale_cookie_does_not_hide_a_good_key(system: System) -> None:
    await system.ok("GET", f"/campaigns?accesskey={ACCESS_KEY}", headers={"Cookie": "token=old"})


async def test_nobody_is_refused_with_401(system: System) -> None:
    error = await system.refused(401, "GET", "/v1.0/campaigns", headers={})
    assert error["reason"] == "AUTHENTICATION_REQUIRED"
    error = await system.refused(401, "GET", "/campaigns?token=vb_" + "x" * 32, headers={})
    assert error["reason"] == "INVALID_CREDENTIALS"
