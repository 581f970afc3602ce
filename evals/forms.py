"""What a person says of a trace, a step or a session: a POST form, and what it means."""

import re
from typing import Any

from django import forms

from evals.score import MAX_COMMENT, MAX_SESSION_ID, Subject, Verdict
from traces.queries import parse_trace_id

TAKE_BACK = "none"
KEEP = "keep"
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")


class SubjectForm(forms.Form):
    """Of what: hidden fields, so that a page written by hand is told what is wrong."""

    trace_id = forms.CharField(required=False)
    span_id = forms.CharField(required=False)
    session_id = forms.CharField(required=False, max_length=MAX_SESSION_ID, strip=False)

    def clean(self) -> dict[str, str]:
        given: dict[str, str] = self.cleaned_data
        trace = parse_trace_id(given.get("trace_id", ""))
        trace = trace if trace and trace.int else None
        if bool(trace) == bool(given.get("session_id")):
            raise forms.ValidationError("Feedback is of one trace or of one session.")
        if given.get("span_id") and not (trace and _SPAN_ID.fullmatch(given["span_id"])):
            raise forms.ValidationError("There is no such step.")
        return {**given, "trace_id": trace.hex if trace else ""}

    @property
    def subject(self) -> Subject:
        names = ("trace_id", "span_id", "session_id")
        return Subject(**{name: self.cleaned_data[name] for name in names})


class WordsField(forms.CharField):
    """Browsers end the lines of a text in two signs; one is stored, and counted."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


class FeedbackForm(SubjectForm):
    """`comment_shown`: the one that the page had. A page that is behind takes back no comment that it never showed."""

    verdict = forms.ChoiceField(choices=[(one, one) for one in (*Verdict, KEEP, TAKE_BACK)])
    comment = WordsField(required=False, max_length=MAX_COMMENT)
    comment_shown = WordsField(required=False)

    @property
    def takes_back(self) -> bool:
        return bool(self.cleaned_data["verdict"] == TAKE_BACK)

    @property
    def chosen_verdict(self) -> Verdict | None:
        """None: the one that was given before."""
        chosen: str = self.cleaned_data["verdict"]
        return None if chosen in {KEEP, TAKE_BACK} else Verdict(chosen)

    @property
    def written_comment(self) -> str | None:
        """None: nobody changed the one that was given before."""
        comment: str = self.cleaned_data["comment"]
        unchanged = "comment_shown" in self.data and self.cleaned_data["comment_shown"] == comment
        return None if unchanged else comment
