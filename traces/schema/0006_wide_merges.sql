-- Merge many small parts at once, or wait: with the default of 5 a span is merged again and again in its first minute,
-- and each merge builds its index of words anew.
ALTER TABLE spans${suffix} ${on_cluster}
    MODIFY SETTING merge_selector_base = 12;
