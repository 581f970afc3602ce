"""What ingest took and refused, counted by project: sums that web processes add to every few seconds."""

from django.db import models


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
