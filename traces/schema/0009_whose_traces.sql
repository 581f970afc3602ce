-- Which granules hold a user or a session: who looks for one is the first to ask for it, and had to read the names of
-- every trace in the window. Five megabytes for two million traces.
ALTER TABLE traces${suffix} ${on_cluster}
    ADD INDEX IF NOT EXISTS users user_ids TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE traces${suffix} ${on_cluster}
    ADD INDEX IF NOT EXISTS sessions session_ids TYPE bloom_filter(0.01) GRANULARITY 1;

-- What is stored already: in the background, a part at a time.
ALTER TABLE traces${suffix} ${on_cluster} MATERIALIZE INDEX users;

ALTER TABLE traces${suffix} ${on_cluster} MATERIALIZE INDEX sessions;
