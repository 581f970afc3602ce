"""Who bills for a model call: names, hosts and client names as emitters use them, to one canonical name."""

from collections.abc import Mapping
from functools import lru_cache

# Compared without case, spaces, dashes and underscores, so that each is here once.
_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "openai": ("openai", "text-completion-openai"),
    "anthropic": ("anthropic", "anthropic_text"),
    "azure.ai.openai": ("azure.ai.openai", "az.ai.openai", "azure", "azure_openai", "azure_text"),
    "azure.ai.inference": ("azure.ai.inference", "az.ai.inference", "azure_ai", "azure_ai_inference"),
    "aws.bedrock": (
        "aws.bedrock",
        "aws",
        "aws_bedrock",
        "amazon_bedrock",
        "bedrock",
        "bedrock_converse",
        "anthropic_bedrock",
    ),
    "gcp.vertex_ai": (
        "gcp.vertex_ai",
        "vertex_ai",
        "vertex_ai_beta",
        "google_vertexai",
        "google_vertex",
        "google.vertex",
        "google.vertex.chat",
        "google_anthropic_vertex",
        "vertex",
    ),
    "gcp.gemini": (
        "gcp.gemini",
        "gemini",
        "google_ai",
        "google_genai",
        "google-gla",
        "google.generative-ai",
    ),
    "gcp.gen_ai": ("gcp.gen_ai", "google"),
    "mistral_ai": ("mistral_ai", "mistral"),
    "x_ai": ("x_ai", "x"),
    "ibm.watsonx.ai": ("ibm.watsonx.ai", "ibm.watson.ai", "watsonx", "watsonx_text"),
    "together_ai": ("together_ai", "together"),
    "fireworks": ("fireworks", "fireworks_ai"),
    "groq": ("groq",),
    "deepseek": ("deepseek",),
    "cohere": ("cohere", "cohere_chat"),
    "perplexity": ("perplexity", "perplexity_ai"),
    "moonshot_ai": ("moonshot_ai", "moonshot"),
    "ollama": ("ollama", "ollama_chat"),
    "openrouter": ("openrouter",),
    "cerebras": ("cerebras",),
}
_UNSAID = str.maketrans("", "", " _-")
_CANONICAL = {
    spelling.translate(_UNSAID): name for name, spellings in _SPELLINGS.items() for spelling in spellings
}
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
    found = _named(lowered) or _by_host(lowered) or _named(lowered.partition(".")[0])
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
    return _named(rest.partition(".")[0]) if first == "api" else None


def _named(spelling: str) -> str | None:
    return _CANONICAL.get(spelling.translate(_UNSAID))
