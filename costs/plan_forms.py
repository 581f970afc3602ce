"""Setting a plan or a budget by hand, and bringing plans in from a file. Ids become what spans are stored under."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from costs import plan_csv
from costs.forms import MoneyInput
from costs.models import Budget, Plan
from costs.models.usage import MAX_KEY
from tracehouse.tenancy.identity import stored_identity
from tracehouse.tenancy.models import Project


class DayInput(forms.DateInput):
    """A day, as browsers ask for one."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class KeyedForm(forms.ModelForm[Any]):
    """A row of one project about an id: the id is stored as spans have it, and every constraint is checked."""

    def __init__(self, *args: Any, project: Project | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if project is not None:
            self.instance.project = project

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        project = cleaned.get("project") or getattr(self.instance, "project", None)
        if project is not None and cleaned.get("key"):
            cleaned["key"] = stored_identity(project)(cleaned["key"])
            if len(cleaned["key"]) > MAX_KEY:
                self.add_error("key", f"An id has at most {MAX_KEY} characters.")
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # Django's, unstubbed
        return excluded - {"project"}


class PlanForm(KeyedForm):
    class Meta:
        model = Plan
        fields = ["subject", "key", "name", "monthly_usd", "first_day", "last_day"]
        widgets = {"monthly_usd": MoneyInput(), "first_day": DayInput(), "last_day": DayInput()}


class BudgetForm(KeyedForm):
    class Meta:
        model = Budget
        fields = ["subject", "key", "period", "limit_usd", "warn_percent"]
        labels = {"period": "Per"}
        widgets = {"limit_usd": MoneyInput()}


class ImportForm(forms.Form):
    """A file, or its text."""

    file = forms.FileField(
        required=False, label="CSV file", widget=forms.FileInput(attrs={"accept": ".csv,text/csv"})
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label="Or its lines",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("file") and not cleaned.get("text"):
            raise ValidationError("Choose a file, or paste its lines.")
        return cleaned

    def clean_file(self) -> Any:
        given = self.cleaned_data["file"]
        if given is None:
            return None
        if given.size > plan_csv.MAX_BYTES:
            raise ValidationError(
                f"The file is larger than {plan_csv.MAX_BYTES // 2**20} MB. Import it in parts."
            )
        try:
            self.read = given.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValidationError("The file is not UTF-8 text. Save it as CSV UTF-8.") from error
        return given

    @property
    def content(self) -> str:
        return self.read if self.cleaned_data.get("file") else str(self.cleaned_data["text"])
