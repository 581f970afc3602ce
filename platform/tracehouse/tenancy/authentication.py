"""API keys for REST views: 401 without a valid key, 403 for another project's; the scope comes from the key alone."""

from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tracehouse.read_cache import LookupUnavailable
from tracehouse.tenancy.keys import KeyHolder, KeyProblem, identify
from tracehouse.tenancy.scope import Scope

if TYPE_CHECKING:  # importing views would import this module again, by its name in the settings
    from rest_framework.views import APIView

CHALLENGE = 'Basic realm="tracehouse", charset="UTF-8"'


class StoreUnavailable(APIException):
    status_code = 503
    default_detail = "A store does not answer; try again in a few seconds."
    default_code = "unavailable"


class ApiKeyAuthentication(BaseAuthentication):
    """Puts the `KeyHolder` into `request.auth`; there is no user behind a key."""

    def authenticate(self, request: Request) -> tuple[None, KeyHolder] | None:
        try:
            found = identify(request.headers.get("Authorization", ""))
        except LookupUnavailable:
            raise StoreUnavailable from None
        match found:
            case KeyHolder():
                return None, found
            case KeyProblem.MISSING:
                return None
            case KeyProblem.OTHER_PROJECT:
                raise PermissionDenied(found.value)
            case KeyProblem.MALFORMED | KeyProblem.UNKNOWN:
                raise AuthenticationFailed(found.value)

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class HasProject(BasePermission):
    """A key is needed; a request that names a project (`X-Tracehouse-Project: slug`) must name the key's own."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        holder = request.auth
        if not isinstance(holder, KeyHolder):
            raise NotAuthenticated(KeyProblem.MISSING.value)
        named = request.headers.get("X-Tracehouse-Project")
        if named and named != holder.project_slug:
            raise PermissionDenied(KeyProblem.OTHER_PROJECT.value)
        return True


def holder_of(request: Request) -> KeyHolder:
    holder = request.auth
    if not isinstance(holder, KeyHolder):
        raise NotAuthenticated(KeyProblem.MISSING.value)
    return holder


def scope_of(request: Request) -> Scope:
    return Scope(holder_of(request).project_id)
