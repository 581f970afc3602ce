-- As 0006, further: how many parts make a merge falls as they become more (with 24 about nineteen merge at once), so that
-- parts stay few, and a span that comes in a burst is merged after it.
ALTER TABLE spans${suffix} ${on_cluster}
    MODIFY SETTING merge_selector_base = 24;
