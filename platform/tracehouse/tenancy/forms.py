"""Signing in, naming a key, and how a project redacts."""

import hashlib
import re
from typing import Any

import phonenumbers
import structlog
from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from redis.exceptions import RedisError

from tracehouse.tenancy.limits import FIELDS as LIMIT_FIELDS
from tracehouse.tenancy.models import Project

ATTEMPTS = 10
ATTEMPT_SECONDS = 300
log = structlog.get_logger()


class SignInForm(AuthenticationForm):
    """E-mail and password; after ten failed attempts for an e-mail from one address, five minutes' wait."""

    error_messages = {
        "invalid_login": "That e-mail and password do not go together. Capitals in the password count.",
        "inactive": "This account is switched off. Ask an administrator of this installation.",
        "throttled": "Too many attempts. Wait five minutes, then try again.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail"
        self.fields["username"].widget = forms.EmailInput(
            attrs={"autofocus": True, "autocomplete": "username", "maxlength": 254}
        )

    def clean(self) -> dict[str, Any]:
        name = _counter(self)
        if _attempts(name) > ATTEMPTS:
            raise ValidationError(self.error_messages["throttled"], code="throttled")
        cleaned: dict[str, Any] = super().clean()
        _forget(name)
        return cleaned


class ApiKeyForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        label="What will use it",
        widget=forms.TextInput(attrs={"placeholder": "production agent", "autocomplete": "off"}),
    )


class RedactionForm(forms.ModelForm[Project]):
    class Meta:
        model = Project
        fields = ["identity_policy", "phone_regions"]
        labels = {
            "identity_policy": "Personal values in user, session and organization ids",
            "phone_regions": "Phone regions",
        }

    def clean_phone_regions(self) -> str:
        regions = [part.upper() for part in re.split(r"[\s,]+", self.cleaned_data["phone_regions"]) if part]
        unknown = [region for region in regions if region not in phonenumbers.SUPPORTED_REGIONS]
        if unknown:
            raise ValidationError(f"Not a region: {', '.join(unknown)}. Use ISO 3166 codes such as US, DE.")
        return ",".join(dict.fromkeys(regions))


class LimitsForm(forms.ModelForm[Project]):
    """How much the project may send; an empty field is the installation's default."""

    class Meta:
        model = Project
        fields = list(LIMIT_FIELDS)
        labels = {
            "max_spans_per_second": "Spans a second, averaged over a minute",
            "max_mb_per_minute": "MB a minute, after decompression",
            "max_spans_per_day": "Spans a day",
            "max_spans_per_month": "Spans a month",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, default in settings.DEFAULT_LIMITS.items():
            self.fields[name].widget.attrs["placeholder"] = (
                f"{default:,} (default)" if default else "no limit"
            )


def _counter(form: SignInForm) -> str:
    address = form.request.META.get("REMOTE_ADDR", "") if form.request else ""
    email = str(form.cleaned_data.get("username", "")).lower()
    return "sign-in:" + hashlib.sha256(f"{address} {email}".encode()).hexdigest()


def _attempts(name: str) -> int:
    """How many times this was tried lately, this time included; 0 while the cache is away, which must not
    keep people out."""
    try:
        cache.add(name, 0, ATTEMPT_SECONDS)
        return cache.incr(name)
    except (RedisError, ValueError) as error:
        log.warning("sign_in_not_counted", error=type(error).__name__)
        return 0


def _forget(name: str) -> None:
    try:
        cache.delete(name)
    except RedisError as error:
        log.warning("sign_in_not_counted", error=type(error).__name__)
