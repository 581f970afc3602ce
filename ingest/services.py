"""What changes the counts of ingest, apart from adding to them (`accounting`)."""

from datetime import datetime

from ingest.models import IngestMinute, RejectedPayload


def delete_counts_before(moment: datetime) -> int:
    """Deletes counts of earlier minutes and hours; gives the number of rows. Safe to run twice, or two at once."""
    minutes, _ = IngestMinute.objects.filter(minute__lt=moment).delete()
    rejections, _ = RejectedPayload.objects.filter(hour__lt=moment).delete()
    return minutes + rejections
