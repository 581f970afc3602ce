"""Who gets a project's weekly report, and when; and where one is sent again."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from costs.models import ReportSettings

MAX_RECIPIENTS = 50


class AddressesField(forms.CharField):
    """E-mail addresses between line breaks, commas or semicolons; each once."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        given = value if isinstance(value, list) else re.split(r"[\s,;]+", value or "")
        return list({address.casefold(): address for address in given if address}.values())

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise ValidationError("Give at least one e-mail address.")
        if len(value) > MAX_RECIPIENTS:
            raise ValidationError(f"Give at most {MAX_RECIPIENTS} addresses; use a mailing list for more.")
        wrong = [address[:80] for address in value if not _is_address(address)]
        if wrong:
            raise ValidationError(f"Not an e-mail address: {', '.join(wrong)}")

    def run_validators(self, value: Any) -> None:
        """All is said by `validate`: the validators of a text would look at a list."""


class ReportSettingsForm(forms.ModelForm[ReportSettings]):
    recipients = AddressesField(
        required=False,
        label="Recipients",
        help_text="E-mail addresses, one a line. They see what users and features cost, also without an account.",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off"}),
    )

    class Meta:
        model = ReportSettings
        fields = ["is_on", "weekday", "hour", "recipients"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("is_on") and cleaned.get("recipients") == []:
            self.add_error("recipients", "Give at least one recipient, or leave the report off.")
        return cleaned


class SendForm(forms.Form):
    """One address to send a report to."""

    address = forms.EmailField(label="E-mail address")


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254
