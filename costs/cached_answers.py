"""Which model calls were answered by a cache before any model: they cost nothing.

This is a gateway's or framework's cache of whole answers. Prompt caching at the provider is another thing: it is
billed, by the buckets of `traces.span.Usage`. Nobody standardised a name, so these are the ones emitters use.
"""

from collections.abc import Mapping

import msgspec

from traces.span import Attributes, JSONValue

# Attribute -> who sets it. A flag counts when it is true, in whatever type it travelled.
FLAGS: Mapping[str, str] = {
    "litellm.cache_hit": "LiteLLM's OpenTelemetry callback",
    "cache_hit": "LiteLLM's Logfire and MLflow callbacks",
    "langfuse.observation.metadata.cache_hit": "LiteLLM's Langfuse callback",
    "langfuse.trace.metadata.cache_hit": "LiteLLM's Langfuse callback",
    "langfuse.metadata.cache_hit": "hand-written spans beside Langfuse names",
    "litellm.metadata.cache_hit": "LiteLLM's OpenTelemetry callback",
    "metadata.cache_hit": "LiteLLM's OpenTelemetry callback",
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
# Attributes that hold an object, as such or as JSON text, and the flag as a key in it.
OBJECTS: Mapping[str, str] = {
    "langfuse.observation.metadata": "LiteLLM's Langfuse callback",
    "langfuse.trace.metadata": "LiteLLM's Langfuse callback",
    "langfuse.metadata": "hand-written spans beside Langfuse names",
    "hidden_params": "LiteLLM's OpenTelemetry callback",
    "langfuse.observation.metadata.hidden_params": "LiteLLM's Langfuse callback",
    "metadata.hidden_params": "LiteLLM's OpenTelemetry callback",
    "litellm.metadata": "LiteLLM's OpenTelemetry callback",
    "metadata": "hand-written spans beside OpenInference names",
}
KEY = "cache_hit"
INNER = "hidden_params"  # an object in one of the former that may hold the key too
_NAMES = frozenset(FLAGS) | frozenset(WORDS) | frozenset(OBJECTS)
_TRUE = frozenset({"true", "1", "yes", "hit"})


def is_cached_answer(attributes: Attributes) -> bool:
    """Whether these attributes of a model call say that a cache answered it."""
    if _NAMES.isdisjoint(attributes):
        return False
    return any(_says_hit(name, attributes[name]) for name in _NAMES.intersection(attributes))


def _says_hit(name: str, value: JSONValue) -> bool:
    if name in OBJECTS:
        return _holds_hit(_object(value))
    if isinstance(value, list):  # captured headers are lists
        return any(_says_hit(name, item) for item in value)
    if isinstance(value, bool):
        return value and name in FLAGS
    return str(value).strip().lower() in WORDS.get(name, _TRUE)


def _holds_hit(held: Attributes) -> bool:
    return _says_hit(KEY, held.get(KEY)) or _says_hit(KEY, _object(held.get(INNER)).get(KEY))


def _object(value: JSONValue) -> Attributes:
    """An object, sent as one or as JSON text; anything else holds nothing. Text without the key is not read."""
    if isinstance(value, str) and KEY in value:
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
