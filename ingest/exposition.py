"""What `/metrics` answers: the counters that web processes share, and the state of stores, spools and worker."""

import os
import platform
import time
from collections.abc import Iterable
from importlib.metadata import version

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest import status
from tracehouse.metrics_folder import VARIABLE


def exposition() -> bytes:
    """The text format of Prometheus, version 0.0.4."""
    now = CollectorRegistry()
    now.register(StateCollector())
    return generate_latest(_counted()) + generate_latest(now)


def _counted() -> CollectorRegistry:
    if VARIABLE not in os.environ:  # a single process, such as Django's own server
        return REGISTRY
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


class StateCollector(Collector):
    """Gauges that are read when they are asked for."""

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: a registry would otherwise collect everything once to learn the names."""
        return []

    def collect(self) -> Iterable[Metric]:
        yield _build()
        yield from _spools()
        yield from _stores()
        yield from _worker()


def _build() -> Metric:
    info = GaugeMetricFamily(
        "tracehouse_build_info", "Version of Tracehouse and of Python.", labels=["version", "python"]
    )
    info.add_metric([version("tracehouse"), platform.python_version()], 1)
    return info


def _spools() -> Iterable[Metric]:
    size = GaugeMetricFamily("tracehouse_spool_bytes", "Bytes waiting in a spool.", labels=["host"])
    limit = GaugeMetricFamily("tracehouse_spool_limit_bytes", "Bytes past which ingest answers 503.")
    files = GaugeMetricFamily("tracehouse_spool_files", "Files waiting in a spool.", labels=["host"])
    oldest = GaugeMetricFamily(
        "tracehouse_spool_oldest_seconds", "Age of the oldest file waiting in a spool.", labels=["host"]
    )
    refused = GaugeMetricFamily(
        "tracehouse_spool_refused_files", "Files of rows that ClickHouse refused as wrong.", labels=["host"]
    )
    limit.add_metric([], settings.SPOOL_MAX_BYTES)
    for report in status.spools():
        size.add_metric([report.host], report.bytes)
        files.add_metric([report.host], report.files)
        oldest.add_metric([report.host], report.oldest_seconds)
        refused.add_metric([report.host], report.refused_files)
    return size, limit, files, oldest, refused


def _stores() -> Iterable[Metric]:
    up = GaugeMetricFamily("tracehouse_store_up", "1 while a store answers a real query.", labels=["store"])
    answer = GaugeMetricFamily(
        "tracehouse_store_answer_seconds", "Time of a small real query.", labels=["store"]
    )
    size = GaugeMetricFamily("tracehouse_store_bytes", "What a store holds.", labels=["store"])
    for store in status.stores():
        up.add_metric([store.name], int(store.ok))
        if store.answer_ms is not None:
            answer.add_metric([store.name], store.answer_ms / 1000)
        if store.bytes is not None:
            size.add_metric([store.name], store.bytes)
    return up, answer, size


def _worker() -> Iterable[Metric]:
    """Nothing while Valkey does not answer: absent is not zero."""
    found = status.worker()
    if found.queue is None:
        return
    depth = GaugeMetricFamily("tracehouse_celery_queue_depth", "Tasks that wait for a worker.")
    depth.add_metric([], found.queue.depth)
    yield depth
    running = GaugeMetricFamily("tracehouse_celery_unacknowledged", "Tasks that workers hold.")
    running.add_metric([], found.queue.in_progress)
    yield running
    if found.queue.heartbeat_at is not None:
        heartbeat = GaugeMetricFamily(
            "tracehouse_worker_heartbeat_age_seconds", "Time since a worker last did the heartbeat task."
        )
        heartbeat.add_metric([], max(time.time() - found.queue.heartbeat_at, 0))
        yield heartbeat
    tasks = CounterMetricFamily("tracehouse_tasks", "Tasks ended, by outcome.", labels=["task", "outcome"])
    for (task, outcome), count in found.queue.outcomes.items():
        tasks.add_metric([task, outcome], count)
    yield tasks
