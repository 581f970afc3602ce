"""Headers of every answer: what a page may load and run, and that pages of the signed-in are not cached."""

from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponseBase

NOTHING_FOREIGN: Mapping[str, str] = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# Pages of libraries that bring inline scripts; neither shows what a span carries.
RELAXED: Mapping[str, Mapping[str, str]] = {
    "/api/docs": {"script-src": "'self' 'unsafe-inline'", "style-src": "'self' 'unsafe-inline'"},
    "/admin/": {
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",
    },
}


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that sets the policy, and `no-store` on pages: they hold prompts, and htmx asks for
    parts of a page at the page's own address, which a cache must never show in its place."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy_for(request.path))
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return middleware


def policy_for(path: str) -> str:
    relaxed = next((rules for prefix, rules in RELAXED.items() if path.startswith(prefix)), {})
    return "; ".join(f"{name} {sources}" for name, sources in {**NOTHING_FOREIGN, **relaxed}.items())
