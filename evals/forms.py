"""What a person says of a trace, a step or a session: a POST form, and what it means."""

import re

from django import forms

from evals.score import MAX_COMMENT, MAX_SESSION_ID, Subject, Verdict
from traces.queries import parse_trace_id

TAKE_BACK = "none"
KEEP = "keep"
_SPAN_ID = re.compile(r"[0-9a-f]{16}")


class SubjectForm(forms.Form):
    """Of what: hidden fields, so that a page written by hand is told what is wrong."""

    trace_id = forms.CharField(required=False)
    span_id = forms.CharField(required=False)
    session_id = forms.CharField(required=False, max_length=MAX_SESSION_ID, strip=False)

    def clean(self) -> dict[str, str]:
        given: dict[str, str] = self.cleaned_data
        trace = parse_trace_id(given.get("trace_id", ""))
        if bool(trace) == bool(given.get("session_id")):
            raise forms.ValidationError("Feedback is of one trace or of one session.")
        if given.get("span_id") and not (trace and _SPAN_ID.fullmatch(given["span_id"])):
            raise forms.ValidationError("There is no such step.")
        return {**given, "trace_id": trace.hex if trace else ""}

    @property
    def subject(self) -> Subject:
        names = ("trace_id", "span_id", "session_id")
        return Subject(**{name: self.cleaned_data[name] for name in names})


class FeedbackForm(SubjectForm):
    verdict = forms.ChoiceField(choices=[(one, one) for one in (*Verdict, KEEP, TAKE_BACK)])
    comment = forms.CharField(required=False, max_length=MAX_COMMENT)

    @property
    def takes_back(self) -> bool:
        return bool(self.cleaned_data["verdict"] == TAKE_BACK)

    @property
    def chosen_verdict(self) -> Verdict | None:
        """None: the one that was given before."""
        chosen: str = self.cleaned_data["verdict"]
        return None if chosen in {KEEP, TAKE_BACK} else Verdict(chosen)
