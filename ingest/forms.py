"""Changing how a project redacts, and trying it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ingest.detectors import Detector
from ingest.models import ACTIONS, DETECTORS, OFF, AllowedValue, RedactionRule
from ingest.patterns import problem_with, whole
from ingest.policy import Action
from ingest.services import MAX_ALLOWED, MAX_RULES
from tracehouse.tenancy.models import Project

MAX_TRIED = 20_000
_CHOICES = [*((str(action), words) for action, words in ACTIONS.items()), (OFF, "Off")]


class DetectorsForm(forms.Form):
    """One choice a detector."""

    def __init__(self, data: Any = None, *, actions: Mapping[Detector, Action]) -> None:
        super().__init__(data, auto_id="detector-%s")
        for detector, words in DETECTORS.items():
            self.fields[str(detector)] = forms.ChoiceField(
                label=words, choices=_CHOICES, initial=str(actions.get(detector, OFF))
            )

    @property
    def actions(self) -> dict[Detector, str]:
        return {detector: self.cleaned_data[str(detector)] for detector in Detector}


class RuleForm(forms.ModelForm[RedactionRule]):
    class Meta:
        model = RedactionRule
        fields = ["name", "pattern", "action"]
        labels = {"action": "What happens"}
        widgets = {
            "name": forms.TextInput(attrs={"placeholder": "customer_number", "autocomplete": "off"}),
            "pattern": forms.TextInput(
                attrs={"placeholder": r"\bCUST-[0-9]{6}\b", "autocomplete": "off", "spellcheck": "false"}
            ),
        }

    def __init__(self, *args: Any, project: Project | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "rule-%s", **kwargs})
        self._project = project

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name in {str(detector) for detector in Detector}:
            raise ValidationError(f"“{name}” is the name of a built-in detector. Choose another.")
        return name

    def clean_pattern(self) -> str:
        pattern: str = self.cleaned_data["pattern"]
        problem = problem_with(pattern)
        if problem:
            raise ValidationError(f"This pattern cannot be used. {problem}")
        return pattern

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        project = self._project or cleaned.get("project")
        rules = RedactionRule.objects.filter(project=project).exclude(pk=self.instance.pk)
        if rules.filter(name=cleaned.get("name")).exists():
            self.add_error("name", "There is a rule of that name already.")
        if not self.instance.pk and rules.count() >= MAX_RULES:
            raise ValidationError(f"A project has at most {MAX_RULES} rules. Remove one first.")
        return cleaned


class AllowForm(forms.ModelForm[AllowedValue]):
    class Meta:
        model = AllowedValue
        fields = ["value", "is_pattern"]
        labels = {"value": "Never replace"}
        widgets = {
            "value": forms.TextInput(
                attrs={"placeholder": "support@example.com", "autocomplete": "off", "spellcheck": "false"}
            )
        }

    def __init__(self, *args: Any, project: Project | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "allow-%s", **kwargs})
        self._project = project

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        value = cleaned.get("value", "")
        problem = problem_with(whole(value)) if value and cleaned.get("is_pattern") else ""
        if problem:
            self.add_error("value", f"This pattern cannot be used. {problem}")
        project = self._project or cleaned.get("project")
        entries = AllowedValue.objects.filter(project=project).exclude(pk=self.instance.pk)
        if entries.filter(value=value).exists():
            self.add_error("value", "This is allowed already.")
        if not self.instance.pk and entries.count() >= MAX_ALLOWED:
            raise ValidationError(
                f"A project allows at most {MAX_ALLOWED} values. Remove one, or use a pattern."
            )
        return cleaned


class TryForm(forms.Form):
    text = forms.CharField(
        label="Text",
        max_length=MAX_TRIED,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
    )
