"""Who bills for a model call: names, hosts and client names as emitters use them, to one canonical name."""

from collections.abc import Mapping
from functools import lru_cache

_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "openai": ("openai",),
    "anthropic": ("anthropic",),
    "azure.ai.openai": ("azure.ai.openai", "az.ai.openai", "azure", "azure_openai", "azure-openai"),
    "azure.ai.inference": ("azure.ai.inference", "az.ai.inference"),
    "aws.bedrock": ("aws.bedrock", "aws", "amazon_bedrock", "amazon-bedrock", "bedrock"),
    "gcp.vertex_ai": (
        "gcp.vertex_ai",
        "vertex_ai",
        "vertexai",
        "google_vertexai",
        "google.vertex",
        "google.vertex.chat",
        "vertex",
        "google-vertex",
    ),
    "gcp.gemini": ("gcp.gemini", "gemini", "google_ai", "google-gla", "google.generative-ai"),
    "gcp.gen_ai": ("gcp.gen_ai", "google"),
    "mistral_ai": ("mistral_ai", "mistralai", "mistral"),
    "x_ai": ("x_ai", "xai", "x"),
    "ibm.watsonx.ai": ("ibm.watsonx.ai", "ibm.watson.ai", "watsonx"),
    "together_ai": ("together_ai", "togetherai", "together"),
    "fireworks": ("fireworks", "fireworks_ai", "fireworksai"),
    "groq": ("groq",),
    "deepseek": ("deepseek", "deep_seek"),
    "cohere": ("cohere",),
    "perplexity": ("perplexity", "perplexity_ai", "perplexityai"),
    "moonshot_ai": ("moonshot_ai", "moonshotai", "moonshot"),
    "ollama": ("ollama",),
    "openrouter": ("openrouter", "open_router"),
    "cerebras": ("cerebras",),
}
_CANONICAL = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_HOSTS = (
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    (".openai.azure.com", "azure.ai.openai"),
    (".services.ai.azure.com", "azure.ai.inference"),
    (".models.ai.azure.com", "azure.ai.inference"),
    ("openrouter.ai", "openrouter"),
)
# Frameworks that sign model calls with their own name: they bill nobody.
_FRAMEWORKS = frozenset({"strands-agents", "gcp.vertex.agent", "langchain"})
# Text from outside is the key of what is remembered, so it is bounded in both ways.
_REMEMBERED = 1024
_LONGEST = 255


def provider_name(name: str, host: str | None = None) -> str | None:
    """The canonical name; an unknown one stays as it was sent. `host` tells Google's two APIs apart."""
    if len(name) > _LONGEST:
        return name
    return _provider_name(name, host if host and len(host) <= _LONGEST else None)


@lru_cache(maxsize=_REMEMBERED)
def _provider_name(name: str, host: str | None) -> str | None:
    lowered = name.strip().lower()
    if lowered in _FRAMEWORKS:
        return None
    found = _CANONICAL.get(lowered) or _by_host(lowered) or _CANONICAL.get(lowered.partition(".")[0])
    if host and found in {None, "gcp.gen_ai"}:
        found = _by_host(host.strip().lower()) or found
    return found or name.strip()


def _by_host(host: str) -> str | None:
    for suffix, name in _HOSTS:
        if host.endswith(suffix):
            return name
    if host.endswith(".amazonaws.com") and host.startswith("bedrock"):
        return "aws.bedrock"
    first, _, rest = host.partition(".")
    return _CANONICAL.get(rest.partition(".")[0]) if first == "api" else None
