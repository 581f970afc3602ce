-- Which granules have a row without a start, or one of a certain day: every filtered list asks for those, and there are
-- next to none.
ALTER TABLE traces${suffix} ${on_cluster}
    ADD INDEX IF NOT EXISTS starts start_time TYPE minmax GRANULARITY 1;

-- What is stored already: in the background, a part at a time.
ALTER TABLE traces${suffix} ${on_cluster} MATERIALIZE INDEX starts;
