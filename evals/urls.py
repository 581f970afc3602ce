"""Where a project's pages send feedback to."""

from django.urls import include, path

from evals import views

pages = [
    path("feedback", views.give_feedback, name="feedback"),
    path("scores/remove", views.remove_score, name="remove-score"),
]

urlpatterns = [path("p/<slug:slug>/", include((pages, "evals")))]
