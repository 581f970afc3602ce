-- A block of a column is unpacked whole. At the default of 64 kB one of a narrow column holds thirty granules, and a
-- trace, which lies in one, read thirty times what it needs: a page of fifty traces unpacked 250 MB, now 55. Costs 0.3 %
-- on disk. Holds for parts written from now on.
ALTER TABLE spans${suffix} ${on_cluster}
    MODIFY SETTING min_compress_block_size = 4096;
