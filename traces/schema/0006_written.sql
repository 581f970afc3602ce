-- Which granules hold what was written lately: the roll-up of costs asks for it, whatever day it belongs to.
ALTER TABLE spans${suffix} ${on_cluster}
    ADD INDEX IF NOT EXISTS written updated_at TYPE minmax GRANULARITY 1;

-- What is stored already: in the background, a part at a time.
ALTER TABLE spans${suffix} ${on_cluster} MATERIALIZE INDEX written;
