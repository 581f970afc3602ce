"""The ClickHouse process: its limits, its two configuration files, and how it runs."""

import psutil  # type: ignore[import-untyped]
import urllib3

from tracehouse.embedded.clickhouse_config import CONFIG_VARIABLE, ServerConfig
from tracehouse.embedded.folder import DataFolder, write_private
from tracehouse.embedded.programs import Program, python

NAME = "clickhouse"
_MIB = 1024 * 1024
# A quarter of the machine, within these: below, migrations and merges fail; above, nothing embedded needs it.
_LEAST_MEMORY, _MOST_MEMORY = 1024 * _MIB, 4096 * _MIB
# Merges are the last to get a processor (where the process may say so): what they do can wait, an acknowledgement and
# an on-call engineer cannot.
# A merge takes some 12 MB for each part that it joins, and the default of a hundred parts (a backlog after a stop) more
# than the smallest machine gives; buffers of a megabyte for each of sixty columns and an index of words of up to a
# gigabyte come on top. With these it stays below 400 MB.
# No statistics of columns: every part would sketch all sixty for a planner that has the primary key to go by.
# The allocator gives pages back after half a second, not five: under load what merges and inserts had used in turn was
# kept beside what they used next, 40 MiB more each minute.
_ALLOCATOR = "dirty_decay_ms:500"
_ENGINE_CONFIG = """\
<clickhouse>
  <max_server_memory_usage>{memory}</max_server_memory_usage>
  <mark_cache_size>67108864</mark_cache_size>
  <index_mark_cache_size>33554432</index_mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <index_uncompressed_cache_size>0</index_uncompressed_cache_size>
  <primary_index_cache_size>67108864</primary_index_cache_size>
  <query_condition_cache_size>16777216</query_condition_cache_size>
  <background_pool_size>2</background_pool_size>
  <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <os_threads_nice_value_merge_mutate>15</os_threads_nice_value_merge_mutate>
  <timezone>UTC</timezone>
  <merge_tree>
    <auto_statistics_types></auto_statistics_types>
    <merge_max_block_size_bytes>10485760</merge_max_block_size_bytes>
    <max_parts_to_merge_at_once>20</max_parts_to_merge_at_once>
    <min_columns_to_activate_adaptive_write_buffer>1</min_columns_to_activate_adaptive_write_buffer>
    <text_index_max_memory_usage_before_flush>67108864</text_index_max_memory_usage_before_flush>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
</clickhouse>
"""


def prepare(folder: DataFolder, port: int) -> None:
    memory = min(max(psutil.virtual_memory().total // 4, _LEAST_MEMORY), _MOST_MEMORY)
    write_private(folder.run / "clickhouse.xml", _ENGINE_CONFIG.format(memory=memory))
    config = ServerConfig(
        port=port,
        user="tracehouse",
        password=folder.secret(NAME),
        database="tracehouse",
        # Relative to the data folder: the engine reads `?` and `&` in a path as its own parameters.
        folder=NAME,
        engine_config=folder.run.relative_to(folder.root) / "clickhouse.xml",
        query_memory=memory // 2,
    )
    write_private(folder.run / "clickhouse.json", config.to_json())


def program(folder: DataFolder) -> Program:
    return Program(
        name=NAME,
        command=python(
            *("-m", "gunicorn", "-c", "python:tracehouse.embedded.clickhouse_gunicorn"),
            "tracehouse.embedded.clickhouse_server:create()",
        ),
        folder=folder.root,
        environment={CONFIG_VARIABLE: "run/clickhouse.json", "JE_MALLOC_CONF": _ALLOCATOR},
    )


def url(folder: DataFolder, port: int) -> str:
    return f"http://tracehouse:{folder.secret(NAME)}@127.0.0.1:{port}/tracehouse"


def probe(address: str) -> None:
    """Runs a query. Raises while the engine does not answer it."""
    parsed = urllib3.util.parse_url(address)
    with urllib3.PoolManager() as http:
        answer = http.request(
            "GET",
            f"http://127.0.0.1:{parsed.port}/?query=SELECT+1",
            headers=urllib3.util.make_headers(basic_auth=parsed.auth),
            timeout=5.0,
            retries=False,
        )
    if answer.status != 200:
        raise ConnectionError(answer.data.decode(errors="replace"))
