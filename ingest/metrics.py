"""What ingest measures, as Prometheus counters and histograms. No label holds anything that a project sent.

Under gunicorn the values lie in memory-mapped files that all web processes share (`tracehouse.metrics_folder`).
There is no label for the project: their number has no bound. The Ingest page of a project has its numbers.
"""

from prometheus_client import Counter, Histogram

REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
WAIT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)

request_seconds = Histogram(
    "tracehouse_ingest_request_seconds",
    "Time to answer an ingest request, by door and HTTP status.",
    ["door", "status"],
    buckets=REQUEST_BUCKETS,
)
spans = Counter(
    "tracehouse_ingest_spans", "Spans decoded, accepted or rejected with a reason.", ["result", "reason"]
)
refused_requests = Counter(
    "tracehouse_ingest_refused_requests", "Requests refused as a whole, by reason.", ["reason"]
)
body_bytes = Counter("tracehouse_ingest_bytes", "Bytes of accepted bodies, after decompression.")
step_seconds = Counter("tracehouse_ingest_step_seconds", "Time spent in a step of the pipeline.", ["step"])
sender_delay_seconds = Histogram(
    "tracehouse_ingest_sender_delay_seconds",
    "From the end of the newest span of a request until the request came.",
    buckets=WAIT_BUCKETS,
)
visible_seconds = Histogram(
    "tracehouse_ingest_visible_seconds",
    "From a span's end until it could be read: of the span that waited longest for each insert into ClickHouse.",
    buckets=WAIT_BUCKETS,
)
limits_unchecked = Counter(
    "tracehouse_ingest_limits_unchecked", "Batches taken without counting them, because Valkey was away."
)
counts_dropped = Counter(
    "tracehouse_ingest_counts_dropped", "Counts for the pages given up, because PostgreSQL was away too long."
)
drain_inserts = Counter(
    "tracehouse_drain_inserts", "Inserts of spooled spans into ClickHouse, by result.", ["result"]
)
drain_rows = Counter("tracehouse_drain_rows", "Rows inserted into ClickHouse.")
drain_seconds = Counter("tracehouse_drain_seconds", "Time spent in inserts into ClickHouse.")
drain_wait_seconds = Histogram(
    "tracehouse_drain_wait_seconds",
    "From the last write to a spool file until its rows were in ClickHouse.",
    buckets=WAIT_BUCKETS,
)
