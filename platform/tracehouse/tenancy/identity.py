"""Ids of users and organizations as a project stores them, for whatever gets them by another way than a span.

How a project redacts is decided in a layer above the tables of costs, so the rule is named by string in the settings.
"""

from collections.abc import Callable

from django.conf import settings
from django.utils.module_loading import import_string

from tracehouse.tenancy.models import Project


def stored_identity(project: Project) -> Callable[[str], str]:
    """What gives the stored form of an id: an e-mail address as its keyed hash, unless the project keeps identities.

    An id that is in its stored form already stays as it is.
    """
    rule: Callable[[str], str] = import_string(settings.IDENTITY_AS_STORED)(project)
    return rule
