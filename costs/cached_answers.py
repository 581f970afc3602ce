"""Which model calls were answered by a cache before any model: they cost nothing.

This is a gateway's or framework's cache of whole answers. Prompt caching at the provider is another thing: it is
billed, by the buckets of `traces.span.Usage`. Nobody standardised a name, so these are the ones emitters use.
"""

from collections.abc import Mapping

from traces.span import Attributes, JSONValue

# Attribute -> who sets it. A flag counts when it is true, in whatever type it travelled.
FLAGS: Mapping[str, str] = {
    "litellm.cache_hit": "LiteLLM's OpenTelemetry callback",
    "cache_hit": "LiteLLM's Logfire and MLflow callbacks",
    "langfuse.observation.metadata.cache_hit": "LiteLLM's Langfuse callback",
    "gen_ai.response.cached": "gateways and hand-written spans",
    "gen_ai.response.cache_hit": "gateways and hand-written spans",
    "gen_ai.cache.hit": "gateways and hand-written spans",
    "llm.cache_hit": "hand-written spans beside OpenInference names",
    "llm.is_cached": "hand-written spans beside OpenInference names",
}
# Attribute -> the values that mean a hit, lower-case.
WORDS: Mapping[str, frozenset[str]] = {
    "lmnr.span.type": frozenset({"cached"}),  # Laminar
    "http.response.header.cf-aig-cache-status": frozenset({"hit"}),  # Cloudflare AI Gateway
    "http.response.header.x-portkey-cache-status": frozenset({"hit", "semantic hit"}),  # Portkey
    "http.response.header.helicone-cache": frozenset({"hit"}),  # Helicone
}
_NAMES = frozenset(FLAGS) | frozenset(WORDS)
_TRUE = frozenset({"true", "1", "yes", "hit"})


def is_cached_answer(attributes: Attributes) -> bool:
    """Whether these attributes of a model call say that a cache answered it."""
    if _NAMES.isdisjoint(attributes):
        return False
    return any(_says_hit(name, attributes[name]) for name in _NAMES.intersection(attributes))


def _says_hit(name: str, value: JSONValue) -> bool:
    if isinstance(value, list):  # captured headers are lists
        return any(_says_hit(name, item) for item in value)
    if isinstance(value, bool):
        return value and name in FLAGS
    return str(value).strip().lower() in WORDS.get(name, _TRUE)
