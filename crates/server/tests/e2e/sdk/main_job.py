"""The main job through the published SDK of the reference system, unchanged, against a running Grantkeeper.

    DATAROBOT_ENDPOINT=http://127.0.0.1:8080/api/v2 DATAROBOT_API_TOKEN=gk_... \\
        main_job.py --provider-id ID [--control http://127.0.0.1:9090/control/sites/oidc]
        [--redirect-uri http://127.0.0.1:1/callback]

The two variables are the SDK's own. The provider behind ID must approve without asking (`--auto-consent`), because
nobody sits at a browser: the answer to the authorization URL is the redirect that carries the code. Nothing has to
listen at the redirect URI. With `--control`, the control plane of a simulated provider, that provider is made to
issue a token which has to be refreshed at its first use, and is asked whether it was, once.

Prints one line of JSON, `{"ok": true, "authorizationId": ..., "sub": ..., "steps": [...]}`, and ends with status 0; or
says on standard error which step failed and why, and ends with status 1. No token is ever printed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import traceback
import uuid
import warnings
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import datarobot
import httpx
from datarobot.auth.datarobot.exceptions import (
    OAuthAuthorizationNotFound,
    OAuthServiceClientErr,
    OAuthServiceNotAuthenticated,
    OAuthServiceProviderNotFound,
)
from datarobot.auth.datarobot.oauth import AsyncOAuth, SyncOAuth
from datarobot.auth.oauth import OAuthData, OAuthFlowSession, OAuthProvider, OAuthToken, Profile


class Unmet(Exception):
    """Something that the SDK's users rely on does not hold."""


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Unmet(what)


def require_raises(kind: type[OAuthServiceClientErr], status: int, call: Callable[[], Any]) -> None:
    try:
        call()
    except OAuthServiceClientErr as error:
        require(type(error) is kind, f"raised {type(error).__name__} instead of {kind.__name__}: {error}")
        # OAuthServiceProviderNotFound, which the SDK raises on 404 only, never sets its `status_code`.
        answered = getattr(error, "status_code", 404)
        require(answered == status, f"answered {answered} instead of {status}: {error}")
    else:
        raise Unmet(f"did not raise {kind.__name__}")


def require_utc(moment: datetime | None, what: str) -> datetime:
    require(moment is not None, f"{what} is missing")
    require(moment.utcoffset() == timedelta(0), f"{what} is not in UTC: {moment}")
    return moment


class Simulated:
    """The provider behind its own back, when it is a simulated one."""

    def __init__(self, control: str | None) -> None:
        self.control = control

    def tell_lifetime(self, seconds: int | None) -> None:
        """What the next tokens are said to live, in seconds; None: the truth."""
        if self.control:
            httpx.post(f"{self.control}/settings", json={"toldLifetime": seconds}).raise_for_status()

    def refreshes(self) -> int | None:
        if not self.control:
            return None
        calls = httpx.get(f"{self.control}/stats").raise_for_status().json()["tokenCalls"]
        return sum(call["grant"] == "refresh_token" for call in calls)

    def require_refreshes(self, expected: int, what: str) -> None:
        made = self.refreshes()
        require(made in (None, expected), f"{what}: the provider counts {made} refreshes instead of {expected}")


def consent(session: OAuthFlowSession) -> dict[str, str]:
    """What a browser brings back to `redirect_uri` from a provider that approves at once."""
    answer = httpx.get(session.authorization_url, follow_redirects=False)
    require(answer.status_code in (302, 303), f"the provider answered {answer.status_code} to the authorization URL")
    location = answer.headers["location"]
    require(location.startswith(session.redirect_uri + "?"), "the provider redirects somewhere else")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


class MainJob:
    """One step a method, in the order of `STEPS`; later steps use what earlier ones learned."""

    def __init__(
        self, endpoint: str, token: str, provider_id: str, redirect_uri: str, simulated: Simulated
    ) -> None:
        self.endpoint = endpoint
        self.token = token
        self.provider_id = provider_id
        self.redirect_uri = redirect_uri
        self.simulated = simulated
        self.unknown_id = str(uuid.uuid4())
        self.sdk = SyncOAuth(
            [provider_id, self.unknown_id], datarobot_endpoint=endpoint, datarobot_api_token=token
        )

    def version_handshake(self) -> None:
        """The SDK builds no client for a server whose version it does not take, and warns of an older one."""
        with warnings.catch_warnings():
            # Its warning about versions is a UserWarning; the others are about its own dependencies.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", UserWarning)
            datarobot.Client(token=self.token, endpoint=self.endpoint)

    def list_providers(self) -> None:
        self.check_providers(self.sdk.get_providers())

    def list_providers_at_the_alias(self) -> None:
        """Older releases ask at `/externalOAuth`, without the API's prefix."""
        origin = self.endpoint.removesuffix("/").removesuffix("/api/v2")
        older = SyncOAuth([self.provider_id], datarobot_endpoint=origin, datarobot_api_token=self.token)
        self.check_providers(older.get_providers())

    def check_providers(self, providers: list[OAuthProvider]) -> None:
        require([p.id for p in providers] == [self.provider_id], "lists other than the one provider it has")
        provider = providers[0]
        require(provider.status == "active", f"the provider is {provider.status}")
        require(bool(provider.name and provider.type and provider.client_id), "the provider lacks a field")
        require_utc(provider.metadata["created_at"], "createdAt")
        require_utc(provider.metadata["updated_at"], "updatedAt")
        require(bool(provider.metadata["org_id"]), "orgId is missing")

    def authorize(self) -> None:
        self.session = self.sdk.get_authorization_url(
            provider_id=self.provider_id, redirect_uri=self.redirect_uri, state="chosen by the caller/+%"
        )
        require(self.session.state == "chosen by the caller/+%", "another state than the caller's")
        self.callback = consent(self.session)
        require(self.callback["state"] == self.session.state, "the provider was sent another state")

    def exchange(self) -> None:
        """The access token is said to have no time left."""
        self.simulated.tell_lifetime(0)
        data = self.sdk.exchange_code(
            provider_id=self.provider_id, sess=self.session, params=self.callback
        )
        self.simulated.tell_lifetime(None)
        self.authorization_id = self.check_exchange(data)
        self.profile = data.user_profile

    def check_exchange(self, data: OAuthData) -> str:
        require(bool(data.authorization_id), "no authorization id")
        require(data.provider.id == self.provider_id, "another provider")
        require(data.user_profile is not None and bool(data.user_profile.id), "no user profile")
        return data.authorization_id

    def repeated_exchange_is_refused(self) -> None:
        require_raises(
            OAuthServiceClientErr,
            400,
            lambda: self.sdk.exchange_code(
                provider_id=self.provider_id, sess=self.session, params=self.callback
            ),
        )

    def access_token(self) -> None:
        """What has no time left is refreshed; what is fresh is handed out again."""
        self.simulated.require_refreshes(0, "before the first use")
        self.access = self.sdk.refresh_access_token(identity_id=self.authorization_id)
        self.check_token(self.access)
        self.simulated.require_refreshes(1, "at the first use")
        again = self.sdk.refresh_access_token(identity_id=self.authorization_id)
        require(again.access_token == self.access.access_token, "a fresh token was not handed out again")
        self.simulated.require_refreshes(1, "at the second use")

    def check_token(self, token: OAuthToken) -> None:
        require(bool(token.access_token), "no access token")
        expires_at = require_utc(token.expires_at, "expiresAt")
        require(expires_at > datetime.now(timezone.utc), f"the token expired at {expires_at}")

    def user_info(self) -> None:
        self.check_profile(self.sdk.get_user_info(identity_id=self.authorization_id))

    def check_profile(self, profile: Profile) -> None:
        require(profile.id == self.profile.id, "another user than at the exchange")
        require(profile.email == self.profile.email, "another email than at the exchange")

    def unknown_authorizations_are_not_found(self) -> None:
        for identity in (self.unknown_id, "no-such-authorization"):
            for call in (self.sdk.refresh_access_token, self.sdk.get_user_info):
                require_raises(
                    OAuthAuthorizationNotFound, 404, lambda c=call, i=identity: c(identity_id=i)
                )

    def unknown_providers_are_not_found(self) -> None:
        require_raises(
            OAuthServiceProviderNotFound,
            404,
            lambda: self.sdk.get_authorization_url(
                provider_id=self.unknown_id, redirect_uri=self.redirect_uri
            ),
        )
        require_raises(
            OAuthServiceProviderNotFound,
            404,
            lambda: self.sdk.exchange_code(
                provider_id=self.unknown_id, sess=self.session, params=self.callback
            ),
        )

    def foreign_redirect_uris_are_refused(self) -> None:
        require_raises(
            OAuthServiceClientErr,
            422,
            lambda: self.sdk.get_authorization_url(
                provider_id=self.provider_id, redirect_uri="https://elsewhere.example/callback"
            ),
        )

    def wrong_tokens_are_refused(self) -> None:
        stranger = SyncOAuth(
            [self.provider_id], datarobot_endpoint=self.endpoint, datarobot_api_token="gk_wrong"
        )
        require_raises(OAuthServiceNotAuthenticated, 401, stranger.get_providers)
        require_raises(
            OAuthServiceNotAuthenticated,
            401,
            lambda: stranger.refresh_access_token(identity_id=self.authorization_id),
        )

    def everything_again_with_asyncio(self) -> None:
        """The SDK's other client; the same account authorized again keeps its authorization."""
        asyncio.run(self.async_job())

    async def async_job(self) -> None:
        async with AsyncOAuth(
            [self.provider_id], datarobot_endpoint=self.endpoint, datarobot_api_token=self.token
        ) as sdk:
            self.check_providers(await sdk.get_providers())
            session = await sdk.get_authorization_url(
                provider_id=self.provider_id, redirect_uri=self.redirect_uri
            )
            require(len(session.state) >= 22, "the state made for the caller has less than 128 bits")
            callback = await asyncio.to_thread(consent, session)
            data = await sdk.exchange_code(provider_id=self.provider_id, sess=session, params=callback)
            identity = self.check_exchange(data)
            require(identity == self.authorization_id, "the same account became a second authorization")
            self.check_token(await sdk.refresh_access_token(identity_id=identity))
            self.check_profile(await sdk.get_user_info(identity_id=identity))
            await self.check_async_refusal(sdk.refresh_access_token(identity_id=self.unknown_id))

    async def check_async_refusal(self, call: Awaitable[Any]) -> None:
        try:
            await call
        except OAuthAuthorizationNotFound:
            return
        raise Unmet("did not raise OAuthAuthorizationNotFound")


STEPS = (
    MainJob.version_handshake,
    MainJob.list_providers,
    MainJob.list_providers_at_the_alias,
    MainJob.authorize,
    MainJob.exchange,
    MainJob.repeated_exchange_is_refused,
    MainJob.access_token,
    MainJob.user_info,
    MainJob.unknown_authorizations_are_not_found,
    MainJob.unknown_providers_are_not_found,
    MainJob.foreign_redirect_uris_are_refused,
    MainJob.wrong_tokens_are_refused,
    MainJob.everything_again_with_asyncio,
)


def main() -> int:
    arguments = argparse.ArgumentParser(description="The main job through the published SDK.")
    arguments.add_argument("--provider-id", required=True)
    arguments.add_argument("--control", help="the control plane of the simulated provider, if it is one")
    arguments.add_argument("--redirect-uri", default="http://127.0.0.1:1/callback")
    given = arguments.parse_args()
    job = MainJob(
        os.environ["DATAROBOT_ENDPOINT"],
        os.environ["DATAROBOT_API_TOKEN"],
        given.provider_id,
        given.redirect_uri,
        Simulated(given.control),
    )
    for step in STEPS:
        try:
            step(job)
        except Unmet as unmet:
            print(f"{step.__name__}: {unmet}", file=sys.stderr)
            return 1
        except Exception:
            print(f"{step.__name__}:", file=sys.stderr)
            traceback.print_exc()
            return 1
    done = [step.__name__ for step in STEPS]
    print(json.dumps({"ok": True, "authorizationId": job.authorization_id, "sub": job.profile.id, "steps": done}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
