-- The provider's id of an answer: spans of one trace that carry the same one are the same call, traced more than once.
ALTER TABLE spans${suffix} ${on_cluster}
    ADD COLUMN IF NOT EXISTS response_id Nullable(String) CODEC(ZSTD(1))
    AFTER finish_reason;
-- The table over all nodes of a cluster; on one node it is the same table.
ALTER TABLE spans ${on_cluster}
    ADD COLUMN IF NOT EXISTS response_id Nullable(String)
    AFTER finish_reason;
