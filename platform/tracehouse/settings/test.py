"""Differences for the tests: a fixed key, a fast password hash, no network names."""

from tracehouse.settings.base import *  # noqa: F403

SECRET_KEY = "only-for-tests-" + "x" * 40
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A test that reaches a store without asking for its fixture fails on these names.
CLICKHOUSE_URL = "http://ask-for-the-clickhouse-fixture.invalid:1/test"
REDIS_URL = "redis://ask-for-the-stores-fixture.invalid:1/0"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
