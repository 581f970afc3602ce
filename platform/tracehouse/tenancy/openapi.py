"""How the OpenAPI document describes API keys; drf-spectacular finds the class when the module is imported."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "tracehouse.tenancy.authentication.ApiKeyAuthentication"
    name = ["basicKey", "bearerSecret"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "basic", "description": "Public key as user, secret key as password."},
            {"type": "http", "scheme": "bearer", "description": "The secret key."},
        ]
