"""The price pages of a project."""

from django.urls import include, path

from costs import views

pages = [
    path("prices", views.prices, name="list"),
    path("prices/models/new", views.new_model_price, name="new-model"),
    path("prices/models/<int:price_id>", views.change_model_price, name="change-model"),
    path("prices/models/<int:price_id>/delete", views.delete_model_price, name="delete-model"),
    path("prices/tools/new", views.new_tool_price, name="new-tool"),
    path("prices/tools/<int:price_id>", views.change_tool_price, name="change-tool"),
    path("prices/tools/<int:price_id>/delete", views.delete_tool_price, name="delete-tool"),
    path("prices/repricing", views.repricing, name="repricing"),
    path("prices/repricing/<int:run_id>", views.run, name="run"),
    path("prices/repricing/<int:run_id>/start", views.start, name="start"),
]

urlpatterns = [path("p/<slug:slug>/", include((pages, "prices")))]
