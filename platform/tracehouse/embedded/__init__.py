"""Everything `make up` runs on one machine: three stores from wheels, web, worker and beat, under supervisor.

`__main__` is the command, `up` its steps and `stores` the part that tests use as well. `folder` is what is
kept in the data folder; `programs` says how each process starts, `supervise` keeps them running and
`leftovers` ends what a killed run left behind. `postgres`, `valkey` and `clickhouse` describe one store
each. `clickhouse_server` is the ClickHouse engine behind ClickHouse's HTTP interface.
"""
