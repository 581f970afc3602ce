"""Records `vercel_ai4.json`, `vercel_legacy.json` and `vercel_otel.json`: the Vercel AI SDK from npm.

Run as `python tests/ingest/otlp/record_vercel.py` with Node.js >= 22. The packages are installed in a temporary
folder for each recording.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import stand_in
import stand_in_openai
from capturing import capturing

HERE = Path(__file__).parent
SCRIPT = "record_vercel.mjs"
EXPORT = (
    "@opentelemetry/exporter-trace-otlp-proto@0.223.1",
    "@opentelemetry/resources@2.12.0",
    "@opentelemetry/sdk-trace-node@2.12.0",
)
OLD = ("ai@4.3.19", "@ai-sdk/anthropic@1.2.12", "@ai-sdk/openai@1.3.24", "zod@3.25.76", *EXPORT)
NEW = (
    "ai@7.0.173",
    "@ai-sdk/otel@1.0.173",
    "@ai-sdk/anthropic@4.0.105",
    "@ai-sdk/openai@4.0.77",
    "zod@4.6.7",
    *EXPORT,
)
STEADY = {
    "ai.response.timestamp": {"stringValue": "2025-11-24T10:00:00.000Z"},
    "ai.response.msToFirstChunk": {"doubleValue": 11.5},
    "ai.response.msToFinish": {"doubleValue": 15.5},
    "ai.response.avgCompletionTokensPerSecond": {"doubleValue": 387.1},
    "ai.response.avgOutputTokensPerSecond": {"doubleValue": 387.1},
    "gen_ai.client.operation.duration": {"doubleValue": 0.0155},
    "gen_ai.client.operation.time_to_first_chunk": {"doubleValue": 0.0115},
    "gen_ai.client.operation.time_per_output_chunk": {"doubleValue": 0.002},
    "gen_ai.execute_tool.duration": {"doubleValue": 0.001},
}
# Payload -> what the script is to use, and the packages it needs.
RECORDINGS = {
    "vercel_ai4": ("ai4", OLD),
    "vercel_legacy": ("legacy", NEW),
    "vercel_otel": ("otel", NEW),
}


def record(name: str, names: str, packages: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(HERE / SCRIPT, folder)
        subprocess.run(["npm", "install", "--silent", *packages], cwd=folder, check=True)
        with (
            stand_in.serving() as anthropic,
            stand_in_openai.serving() as openai,
            capturing(name, STEADY) as collector,
        ):
            command = ["node", SCRIPT, names, anthropic, openai, collector]
            subprocess.run(command, cwd=folder, check=True)


if __name__ == "__main__":
    for payload, (names, packages) in RECORDINGS.items():
        record(payload, names, packages)
