"""The embedded ClickHouse speaks ClickHouse's HTTP interface: to clickhouse-connect, and to plain HTTP."""

import gzip
import json
import socket
import zlib
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import lz4.frame
import pytest
import zstandard
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError
from clickhouse_connect.driver.external import ExternalData

from tests.cast import wait_for
from tests.embedded.conftest import MAX_QUERIES, PASSWORD, ClickHouse, connected

ROWS = [[number, f"name {number}", datetime(2026, 1, 1, tzinfo=UTC), ["a", "b"]] for number in range(100_000)]
FOREVER = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"


def error_code(answer: object) -> str:
    return answer.headers["X-ClickHouse-Exception-Code"]  # type: ignore[attr-defined]


def test_ping_needs_no_password(server: ClickHouse) -> None:
    answer = server.http.request("GET", f"http://127.0.0.1:{server.port}/ping")
    assert (answer.status, answer.data) == (200, b"Ok.\n")


def test_a_request_without_a_password_is_refused(server: ClickHouse) -> None:
    answer = server.http.request("GET", f"http://127.0.0.1:{server.port}/?query=SELECT+1")
    assert (answer.status, error_code(answer)) == (401, "194")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-ClickHouse-Key": "wrong"},
        {"X-ClickHouse-User": "default"},
        {"X-ClickHouse-User": "tracehouse", "X-ClickHouse-Key": ""},
    ],
)
def test_a_wrong_account_is_refused(server: ClickHouse, headers: dict[str, str]) -> None:
    answer = server.ask("SELECT 1", headers=headers)
    assert (answer.status, error_code(answer)) == (403, "516")


def test_basic_authorization_is_taken(server: ClickHouse) -> None:
    account = b64encode(f"tracehouse:{PASSWORD}".encode()).decode()
    answer = server.http.request(
        "GET",
        f"http://127.0.0.1:{server.port}/?query=SELECT+1",
        headers={"Authorization": f"Basic {account}"},
    )
    assert (answer.status, answer.data) == (200, b"1\n")


def test_an_answer_carries_the_headers_of_clickhouse(server: ClickHouse) -> None:
    headers = server.ask("SELECT 1 FORMAT JSONEachRow", query_id="my-query").headers
    assert headers["X-ClickHouse-Query-Id"] == "my-query"
    assert headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert headers["X-ClickHouse-Timezone"] == "UTC"
    assert json.loads(headers["X-ClickHouse-Summary"])["written_rows"] == "0"


def test_a_query_may_come_in_the_body_in_the_url_or_in_both(server: ClickHouse) -> None:
    assert server.ask(body=b"SELECT 7").data == b"7\n"
    assert server.ask("SELECT 7").data == b"7\n"
    assert server.ask("SELECT", body=b"7").data == b"7\n"


def test_a_hundred_thousand_rows_go_in_and_come_out_as_they_were(client: Client, table: str) -> None:
    summary = client.insert(table, ROWS)
    assert summary.written_rows == 100_000
    found = client.query(f"SELECT * FROM {table} ORDER BY id").result_rows
    assert [list(row) for row in found[:3]] == [
        [*row[:2], row[2].replace(tzinfo=None), row[3]] for row in ROWS[:3]
    ]
    assert len(found) == 100_000


@pytest.mark.parametrize("compression", ["lz4", "zstd", "gzip", False])
def test_every_compression_of_the_client_arrives_whole(
    server: ClickHouse, table: str, compression: str | bool
) -> None:
    with connected(server, compress=compression) as client:
        client.insert(table, ROWS)
        assert client.query(f"SELECT count(), sum(id) FROM {table}").result_rows == [(100_000, 4_999_950_000)]


def test_rows_stream_in_without_a_content_length(server: ClickHouse, table: str) -> None:
    def lines() -> Iterator[bytes]:
        for start in range(0, 50_000, 1000):
            yield b"".join(b'{"id":%d}\n' % number for number in range(start, start + 1000))

    answer = server.ask(f"INSERT INTO {table} FORMAT JSONEachRow", body=lines())
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "50000"


def test_a_statement_and_its_rows_may_share_the_body(server: ClickHouse, table: str) -> None:
    server.ask(body=f"INSERT INTO {table} (id) FORMAT JSONEachRow\n".encode() + b'{"id":1}\n{"id":2}')
    server.ask(body=f"INSERT INTO {table} (id, name) VALUES (3, 'a;b'), (4, ')')".encode())
    server.ask(f"INSERT INTO {table} (id) VALUES", body=b"(5),(6)")
    server.ask(body=f"INSERT INTO {table} (id) SELECT number FROM numbers(7, 2)".encode())
    assert (
        server.ask(f"SELECT groupArray(id) FROM (SELECT id FROM {table} ORDER BY id)").data
        == b"[1,2,3,4,5,6,7,8]\n"
    )


def test_an_insert_whose_body_breaks_off_writes_nothing(server: ClickHouse, table: str) -> None:
    head = (
        f"POST /?query=INSERT+INTO+{table}+(id)+FORMAT+JSONEachRow HTTP/1.1\r\nHost: x\r\n"
        f"X-ClickHouse-User: tracehouse\r\nX-ClickHouse-Key: {PASSWORD}\r\n"
    ).encode()
    row = b'{"id":1}\n'
    for body in (
        b"Content-Length: 1000\r\n\r\n" + row,
        b"Transfer-Encoding: chunked\r\n\r\n9\r\n" + row + b"\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(head + body)
            connection.shutdown(socket.SHUT_WR)
            assert b"200 OK" not in connection.recv(4096)
    assert server.ask(f"SELECT count() FROM {table}").data == b"0\n"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b'{"id":1}\n' * 1000)[:-20]),
        ("zstd", zstandard.compress(b'{"id":1}\n' * 1000)[:-8]),
        ("lz4", lz4.frame.compress(b'{"id":1}\n' * 1000)[:-8]),
        ("deflate", b"not compressed at all"),
    ],
    ids=["gzip", "zstd", "lz4", "deflate"],
)
def test_broken_compression_is_an_error_and_writes_nothing(
    server: ClickHouse, table: str, encoding: str, body: bytes
) -> None:
    answer = server.ask(
        f"INSERT INTO {table} (id) FORMAT JSONEachRow", body=body, headers={"Content-Encoding": encoding}
    )
    assert (answer.status, error_code(answer)) == (400, "117")
    assert server.ask(f"SELECT count() FROM {table}").data == b"0\n"


def test_a_deflated_body_of_several_members_is_read_to_its_end(server: ClickHouse, table: str) -> None:
    body = zlib.compress(b'{"id":1}\n') + zlib.compress(b'{"id":2}\n')
    server.ask(
        f"INSERT INTO {table} (id) FORMAT JSONEachRow", body=body, headers={"Content-Encoding": "deflate"}
    )
    assert server.ask(f"SELECT count() FROM {table}").data == b"2\n"


def test_values_travel_as_parameters_whatever_they_contain(client: Client) -> None:
    text = "it's\ta tab,\na line, a \\ and {braces:String} — ünïcode"
    found = client.query(
        "SELECT {text:String}, {many:Array(String)}, {none:Nullable(Int32)}",
        parameters={"text": text, "many": [text, "b"], "none": None},
    )
    assert found.result_rows == [(text, [text, "b"], None)]


def test_parameters_too_long_for_a_url_arrive(client: Client) -> None:
    many = list(range(50_000))
    found = client.query(
        "SELECT length({many:Array(UInt32)}), {many:Array(UInt32)}[-1]", parameters={"many": many}
    )
    assert found.result_rows == [(50_000, 49_999)]


def test_a_query_reads_the_table_that_comes_with_it(client: Client, server: ClickHouse) -> None:
    """Packed by one answer, sent with the next: whatever bytes its rows have."""
    columns = "id UUID, keys Array(Tuple(key LowCardinality(String), amount Decimal(38, 12)))"
    rows = client.raw_query(
        f"SELECT * FROM generateRandom('{columns}') WHERE length(keys) < 4 LIMIT 5000", fmt="Native"
    )
    given = ExternalData(file_name="given", data=rows, structure=columns, fmt="Native")
    query = "SELECT * FROM given WHERE id IN (SELECT id FROM given) LIMIT {n:UInt32}"
    answer = client.raw_query(query, parameters={"n": 9_999}, fmt="Native", external_data=given)
    assert answer == rows
    assert error_code(server.ask("SELECT * FROM given")) == "60"


def test_a_table_that_comes_with_a_query_may_be_empty(client: Client) -> None:
    given = ExternalData(file_name="given", data=b"", structure="id UUID", fmt="Native")
    assert client.query("SELECT count() FROM given", external_data=given).result_rows == [(0,)]


@pytest.mark.parametrize(
    ("name", "structure", "code"),
    [("given", "", "36"), ("a b", "id UUID", "36"), ("given", "id Nothing_", "50")],
)
def test_a_table_that_cannot_be_made_is_refused(
    server: ClickHouse, name: str, structure: str, code: str
) -> None:
    answer = server.http.request(
        "POST",
        f"http://127.0.0.1:{server.port}/",
        fields={"query": "SELECT 1", name: ("file", b"")}
        | ({f"{name}_structure": structure} if structure else {}),
        headers={"X-ClickHouse-User": "tracehouse", "X-ClickHouse-Key": PASSWORD},
    )
    assert error_code(answer) == code


@pytest.mark.parametrize(
    ("form", "body", "times"),
    [("Native", b"", 1), ("JSONEachRow", b"", 1), ("CSVWithNames", b'"number"\n', 2)],
)
def test_an_answer_without_rows_is_asked_for_again_only_for_its_head(
    client: Client, server: ClickHouse, form: str, body: bytes, times: int
) -> None:
    def asked() -> int:
        return int(client.query("SELECT value FROM system.events WHERE event = 'SelectQuery'").first_row[0])

    before = asked()
    answer = server.ask(f"SELECT number FROM numbers(3) WHERE number > 9 FORMAT {form}")
    assert (answer.status, answer.data) == (200, body)
    assert asked() - before - 1 == times


def test_settings_hold_for_one_query_only(client: Client) -> None:
    chosen = client.query("SELECT getSetting('max_block_size')", settings={"max_block_size": 123}).result_rows
    after = client.query("SELECT getSetting('max_block_size')").result_rows
    assert chosen == [(123,)]
    assert after != chosen


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("SELECT * FROM nowhere", 404, "60"),
        ("SELECT nothing", 404, "47"),
        ("SELEKT 1 + ", 400, "62"),
        ("SELECT throwIf(1)", 500, "395"),
        ("SELECT 1 SETTINGS no_such_setting = 1", 404, "115"),
        ("INSERT INTO nowhere FORMAT JSONEachRow", 404, "60"),
    ],
)
def test_errors_have_clickhouses_code_text_and_status(
    server: ClickHouse, query: str, status: int, code: str
) -> None:
    answer = server.ask(query)
    assert (answer.status, error_code(answer)) == (status, code)
    assert answer.data.startswith(f"Code: {code}. DB::Exception: ".encode())


def test_the_client_raises_the_engines_error(client: Client) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        client.query("SELECT * FROM nowhere")


def test_an_error_in_the_middle_of_a_stream_reaches_the_client(client: Client) -> None:
    with pytest.raises(StreamFailureError, match="FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"):
        list(client.query("SELECT number, throwIf(number = 900000) FROM numbers(1000000)").result_rows)


def test_rows_that_cannot_be_read_are_refused(server: ClickHouse, table: str) -> None:
    answer = server.ask(f"INSERT INTO {table} FORMAT JSONEachRow", body=b'{"id":1}\n{"id":bad}\n')
    assert (answer.status, error_code(answer)) == (400, "27")


def test_a_get_request_only_reads(server: ClickHouse, table: str) -> None:
    answer = server.ask(f"DROP TABLE {table}", method="GET")
    assert error_code(answer) == "164"
    assert server.ask(f"EXISTS TABLE {table}", method="GET").data == b"1\n"


@pytest.mark.parametrize(
    "form", ["CSVWithNames", "TSVWithNamesAndTypes", "RowBinaryWithNamesAndTypes", "JSON", "JSONEachRow"]
)
@pytest.mark.parametrize("rows", [0, 1, 150_000])
def test_an_answer_of_many_blocks_is_one_document(server: ClickHouse, form: str, rows: int) -> None:
    query = f"SELECT number AS \"a 'name'\", toString(number) AS b FROM numbers({rows})"
    streamed = server.ask(query, default_format=form).data
    in_one_block = server.ask(query, default_format=form, max_block_size="1000000").data
    measured_time = b'"elapsed"'
    assert streamed.split(measured_time)[0] == in_one_block.split(measured_time)[0]


def test_a_format_that_needs_the_whole_answer_is_bounded(server: ClickHouse) -> None:
    answer = server.ask("SELECT repeat('x', 1000 + number % 2) FROM numbers(100000) FORMAT JSON")
    assert error_code(answer) == "396"


def test_a_result_far_larger_than_memory_streams(server: ClickHouse) -> None:
    server.ask("SELECT 1")
    engine = server.engine()
    before, most, received = engine.memory_info().rss, 0, 0
    query = "SELECT repeat('x', 10000) FROM numbers(100000) FORMAT RowBinary"
    answer = server.http.request(
        "POST",
        f"http://127.0.0.1:{server.port}/?max_block_size=2000",
        body=query.encode(),
        headers={"X-ClickHouse-User": "tracehouse", "X-ClickHouse-Key": PASSWORD},
        preload_content=False,
    )
    for chunk in answer.stream(16 * 1024 * 1024):
        received += len(chunk)
        most = max(most, engine.memory_info().rss)
    assert received > 1_000_000_000
    assert most - before < 400_000_000


def test_a_query_past_its_memory_fails_alone(server: ClickHouse) -> None:
    answer = server.ask("SELECT length(groupArray(number)) FROM numbers(1000000000)")
    assert error_code(answer) == "241"
    assert server.ask("SELECT 1").data == b"1\n"


def test_a_query_past_its_time_fails(server: ClickHouse) -> None:
    answer = server.ask(FOREVER, max_execution_time="1")
    assert (answer.status, error_code(answer)) == (408, "159")


def test_queries_beyond_the_bound_are_told_to_try_again(server: ClickHouse) -> None:
    with ThreadPoolExecutor(MAX_QUERIES) as pool:
        running = [pool.submit(server.ask, FOREVER, max_execution_time="3") for _ in range(MAX_QUERIES)]
        refused = wait_for(lambda: answer if (answer := server.ask("SELECT 1")).status != 200 else None, 2)
        assert (refused.status, error_code(refused), refused.headers["Retry-After"]) == (503, "202", "1")
        assert {error_code(future.result()) for future in running} == {"159"}
    assert server.ask("SELECT 1").data == b"1\n"


def test_a_client_that_goes_away_ends_its_query(server: ClickHouse) -> None:
    request = (
        f"POST / HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: tracehouse\r\nX-ClickHouse-Key: {PASSWORD}\r\n"
        f"Content-Length: {len(FOREVER)}\r\n\r\n{FOREVER}"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(request.encode())
        wait_for(server.running_queries)
    wait_for(lambda: not server.running_queries())


def test_eight_threads_get_their_own_answers(server: ClickHouse, table: str) -> None:
    def work(thread: int) -> bool:
        with connected(server, query_retries=20) as client:
            return all(
                client.query(
                    "SELECT {a:UInt32} * {b:UInt32}", parameters={"a": thread, "b": turn}
                ).result_rows
                == [(thread * turn,)]
                for turn in range(20)
            )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
