"""What people keep of the trace list: views with a name, and the columns they like to see."""

from django.db import models
from django.db.models.functions import Lower

from tracehouse.tenancy.models import Project, User


class SavedView(models.Model):
    """Filters, columns, order and relative range of the list, under a name."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=80)
    shared = models.BooleanField("shared in the project", default=False)
    parameters = models.JSONField(default=dict)  # as they stand in the address
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "project",
                Lower("name"),
                condition=models.Q(shared=True),
                name="one_shared_view_a_name",
                violation_error_message="The project has a shared view of this name; choose another name.",
            ),
            models.UniqueConstraint(
                "project",
                "created_by",
                Lower("name"),
                condition=models.Q(shared=False),
                name="one_own_view_a_name",
                violation_error_message="You have a view of this name; choose another name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ColumnChoice(models.Model):
    """The columns a person sees in a project's list unless the address says otherwise."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    columns = models.CharField(max_length=200)  # keys of `traces.columns`, with dots between

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "project"], name="one_column_choice_a_project")
        ]

    def __str__(self) -> str:
        return self.columns
