"""Making, hashing and encrypting secrets: Fernet with a key derived from the secret key (HKDF, RFC 5869)."""

import base64
import hashlib
import secrets
from functools import cache

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def new_public_key() -> str:
    return f"pk-th-{secrets.token_hex(12)}"


def new_secret_key() -> str:
    return f"sk-th-{secrets.token_urlsafe(32)}"


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def new_redaction_key() -> str:
    return encrypt(secrets.token_bytes(32))


def encrypt(value: bytes) -> str:
    return _fernet(settings.SECRET_KEY).encrypt(value).decode()


def decrypt(token: str) -> bytes:
    """The value behind `token`; raises `cryptography.fernet.InvalidToken` under another secret key."""
    return _fernet(settings.SECRET_KEY).decrypt(token.encode())


@cache
def _fernet(secret_key: str) -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=b"tracehouse stored secrets").derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
