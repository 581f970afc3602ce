"""Every scenario, in the order in which the demo sends and lists them."""

from ingest.demo import chat, crash, deep, marketing, mcp, rag, unpriced, week
from ingest.demo.scenario import Builder

SCENARIOS: tuple[Builder, ...] = (
    marketing.build,
    mcp.build,
    rag.build,
    chat.build,
    unpriced.build,
    crash.build,
    deep.build,
    week.build,
)
