"""The tokens of the API: JSON web tokens, signed with a key of this process, that end after a while."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass

from opsconsole.demo.airflow_api.refusal import Refusal


@dataclass(frozen=True, slots=True)
class User:
    """Who asks."""

    name: str
    role: str
    """`admin` or `viewer`."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes tokens and reads them."""

    key: bytes
    lifetime: float
    """Seconds that a token is good for."""

    def token(self, user: User) -> str:
        """A new token."""
        now = int(time.time())
        head = {"alg": "HS512", "kid": "not-used", "typ": "JWT"}
        claims = {"sub": user.name, "role": user.role, "teams": [], "jti": uuid.uuid4().hex, "aud": "apache-airflow",
                  "nbf": now, "exp": now + self.lifetime, "iat": now}  # fmt: skip
        signed = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
        return f"{signed}.{_encoded(self._signature(signed))}"

    def user(self, authorization: str | None) -> User:
        """Whose token the header carries.

        Raises:
            Refusal: 401 without one or with one that has ended, 403 with anything else.
        """
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refusal(401, "Not authenticated")
        signed, _, signature = token.strip().rpartition(".")
        try:
            good = hmac.compare_digest(_decoded(signature), self._signature(signed))
            claims = json.loads(_decoded(signed.partition(".")[2])) if good else None
        except ValueError:
            claims = None
        if claims is None:
            raise Refusal(403, "Invalid JWT token")
        if claims["exp"] <= time.time():
            raise Refusal(401, "Token Expired")
        return User(claims["sub"], claims["role"])

    def _signature(self, signed: str) -> bytes:
        return hmac.new(self.key, signed.encode(), hashlib.sha512).digest()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
