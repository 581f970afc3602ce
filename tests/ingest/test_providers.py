"""The spellings of one provider."""

import pytest

from ingest.providers import provider_name


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("OpenAI", "openai"),
        ("openai.responses", "openai"),
        ("api.openai.com", "openai"),
        ("anthropic.messages", "anthropic"),
        ("azure-openai.chat", "azure.ai.openai"),
        ("my-team.openai.azure.com", "azure.ai.openai"),
        ("AWS", "aws.bedrock"),
        ("amazon-bedrock", "aws.bedrock"),
        ("bedrock-runtime.eu-north-1.amazonaws.com", "aws.bedrock"),
        ("google.vertex.chat", "gcp.vertex_ai"),
        ("europe-west1-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("google-gla", "gcp.gemini"),
        ("api.x.ai", "x_ai"),
        ("api.together.xyz", "together_ai"),
        ("Moonshot", "moonshot_ai"),
        ("Together AI", "together_ai"),
        ("Mistral AI", "mistral_ai"),
        ("fireworks-ai", "fireworks"),
        ("AzureOpenAI", "azure.ai.openai"),
        ("azure_ai", "azure.ai.inference"),
        ("bedrock_converse", "aws.bedrock"),
        ("vertex_ai_beta", "gcp.vertex_ai"),
        ("google_genai", "gcp.gemini"),
        ("ollama_chat", "ollama"),
        ("Open Router", "openrouter"),
        ("Deep-Seek", "deepseek"),
        ("House Model", "House Model"),
    ],
)
def test_one_name_for_every_spelling(sent: str, canonical: str) -> None:
    assert provider_name(sent) == canonical


def test_the_host_tells_google_s_two_apis_apart() -> None:
    assert provider_name("google") == "gcp.gen_ai"
    assert provider_name("google", "generativelanguage.googleapis.com") == "gcp.gemini"


def test_frameworks_bill_nobody() -> None:
    assert provider_name("strands-agents") is None
