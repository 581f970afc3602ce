"""Registers the app, so that its template tags are found."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "tracehouse.web"
    label = "web"

    def ready(self) -> None:
        # Whoever enqueues a task, web server or command, must know the broker that it goes to.
        from tracehouse import celery  # noqa: F401, PLC0415
