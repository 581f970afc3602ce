"""The front door: on to the user's first project, or a page that says how to get one."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tracehouse.tenancy.models import User
from tracehouse.tenancy.permissions import projects_of


@login_required
def home(request: HttpRequest) -> HttpResponse:
    projects = projects_of(cast(User, request.user))
    if projects:
        return redirect("traces:list", projects[0].slug)
    return render(request, "web/no_project.html")
