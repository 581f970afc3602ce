-- A page of traces reads a little of every column from most parts. With a file for each column and another for which of
-- its values are absent that is ninety files a part; in a compact part the columns of a granule lie side by side, in one.
-- Holds for parts written from now on.
ALTER TABLE spans${suffix} ${on_cluster}
    MODIFY SETTING min_bytes_for_wide_part = 17179869184;
