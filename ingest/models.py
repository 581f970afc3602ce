"""What ingest took and refused; what a project redacts: actions, patterns of its own, allowed values."""

from django.core.validators import RegexValidator
from django.db import models

from ingest.detectors import Detector
from ingest.patterns import MAX_LENGTH
from ingest.policy import Action
from tracehouse.tenancy.models import Project, User

OFF = "off"
DETECTORS = {
    Detector.EMAIL: "E-mail addresses",
    Detector.PHONE: "Phone numbers",
    Detector.CARD: "Payment cards",
    Detector.IBAN: "IBANs",
    Detector.NATIONAL_ID: "National ids",
    Detector.IP: "IP addresses",
    Detector.SECRET: "Keys, tokens and passwords",
    Detector.JWT: "JSON web tokens",
}
ACTIONS = {
    Action.MASK: "Mask",
    Action.HASH: "Hash",
    Action.DROP: "Drop",
}


class DetectorSetting(models.Model):
    """A project's choice for a detector, where it differs from the default."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    detector = models.CharField(
        max_length=20, choices=[(str(key), words) for key, words in DETECTORS.items()]
    )
    action = models.CharField(
        max_length=4, choices=[*((str(key), words) for key, words in ACTIONS.items()), (OFF, "Off")]
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "detector"], name="one_setting_a_detector"),
        ]

    def __str__(self) -> str:
        return f"{self.get_detector_display()}: {self.get_action_display()}"


class RedactionRule(models.Model):
    """A pattern of the project's own."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="redaction_rules")
    name = models.CharField(
        max_length=40,
        validators=[
            RegexValidator(r"^[a-z][a-z0-9_]*$", "Use small letters, digits and underscores, a letter first.")
        ],
        help_text="Stands in the place of what is found, as [name].",
    )
    pattern = models.CharField(
        max_length=MAX_LENGTH,
        help_text="A regular expression without look-around and back-references, as RE2 and Hyperscan read it.",
    )
    action = models.CharField(
        max_length=4, choices=[(str(key), words) for key, words in ACTIONS.items()], default=Action.MASK.value
    )
    enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, null=True, blank=True, editable=False, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="one_rule_of_a_name")]

    def __str__(self) -> str:
        return self.name


class AllowedValue(models.Model):
    """A value, or a pattern of values, that is never replaced in this project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="allowed_values")
    value = models.CharField(max_length=MAX_LENGTH)
    is_pattern = models.BooleanField(
        "it is a pattern", default=False, help_text="A pattern allows the values that match it as a whole."
    )
    created_by = models.ForeignKey(User, null=True, blank=True, editable=False, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["value"]
        constraints = [models.UniqueConstraint(fields=["project", "value"], name="one_entry_a_value")]

    def __str__(self) -> str:
        return self.value


class IngestMinute(models.Model):
    """What a project sent in one minute. `store.add_minutes` is the only writer."""

    project = models.ForeignKey("tenancy.Project", on_delete=models.CASCADE, related_name="+")
    minute = models.DateTimeField()
    requests = models.BigIntegerField(default=0)
    refused_requests = models.BigIntegerField(default=0)
    spans = models.BigIntegerField(default=0)  # accepted
    rejected_spans = models.BigIntegerField(
        default=0
    )  # those of refused requests are not known before decoding
    body_bytes = models.BigIntegerField(default=0)  # accepted, after decompression

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "minute"], name="one_row_a_project_and_minute")
        ]
        indexes = [models.Index(fields=["minute"])]

    def __str__(self) -> str:
        return f"{self.project_id} {self.minute:%Y-%m-%d %H:%M}: {self.spans} spans"


class RejectedPayload(models.Model):
    """What was refused in one hour for one reason, from one kind of sender; never what it held.

    `agent` is the program's name and version as it gives them, redacted and cut; only so many kinds of senders a
    project and hour are told apart, the others are `other`. `store.add_rejections` is the only writer.
    """

    project = models.ForeignKey("tenancy.Project", on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField()
    door = models.CharField(max_length=30)
    reason = models.CharField(max_length=40)
    status = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=60)
    agent = models.CharField(max_length=80)
    requests = models.BigIntegerField(default=0)
    spans = models.BigIntegerField(default=0)  # 0 where a request was refused before its spans were counted
    body_bytes = models.BigIntegerField(default=0)  # as sent, where the sender said so
    largest_bytes = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "hour", "door", "reason", "status", "content_type", "agent"],
                name="one_row_a_rejection_and_hour",
            )
        ]
        indexes = [models.Index(fields=["hour"])]

    def __str__(self) -> str:
        return f"{self.project_id} {self.hour:%Y-%m-%d %H:00} {self.reason}: {self.requests} requests"
