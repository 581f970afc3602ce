"""What the embedded ClickHouse process is told when it starts: a private JSON file that a variable names."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

CONFIG_VARIABLE = "TRACEHOUSE_CLICKHOUSE_CONFIG"


@dataclass(frozen=True, slots=True)
class ServerConfig:
    port: int
    user: str
    password: str
    database: str
    folder: str
    engine_config: Path
    query_memory: int
    max_queries: int = 24
    queue_seconds: float = 5.0
    read_seconds: int = 60
    buffered_answer: int = 256 * 1024 * 1024

    @classmethod
    def from_environment(cls) -> "ServerConfig":
        values = json.loads(Path(os.environ[CONFIG_VARIABLE]).read_text())
        return cls(**{**values, "engine_config": Path(values["engine_config"])})

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "engine_config": str(self.engine_config)}, indent=1)
