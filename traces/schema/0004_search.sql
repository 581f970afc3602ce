-- Words of what a span says, and the attributes it carries with their values. `traces/filters.py` writes both
-- expressions once more, for queries; an index serves only the very same expression. They are built by merges, not by
-- inserts (`traces/store.py`): what is not indexed yet is searched by reading it.
-- Between two fields stands a word of its own, so that no phrase reaches across them.
ALTER TABLE spans${suffix} ${on_cluster}
    ADD INDEX IF NOT EXISTS words lowerUTF8(replaceAll(replaceAll(concat(
        ifNull(name, ''), ' ¦ ', ifNull(status_message, ''), ' ¦ ', ifNull(error_type, ''), ' ¦ ',
        ifNull(input, ''), ' ¦ ', ifNull(output, ''), ' ¦ ', ifNull(events, ''), ' ¦ ',
        arrayStringConcat(mapValues(log_entries), ' ¦ ')), '\\n', ' '), '\\t', ' '))
    TYPE text(tokenizer = splitByNonAlpha);

-- Attributes as they are written, cut where JSON has its commas and brackets, so that a cut holds a key and its value,
-- and their keys alone.
ALTER TABLE spans${suffix} ${on_cluster}
    ADD INDEX IF NOT EXISTS facets arrayStringConcat([
        ifNull(attributes, ''),
        ifNull(resource, ''),
        arrayStringConcat(JSONExtractKeys(ifNull(attributes, '')), ','),
        arrayStringConcat(JSONExtractKeys(ifNull(resource, '')), ','),
        concat('prompt_name=', ifNull(prompt_name, '')),
        concat('prompt_version=', ifNull(prompt_version, ''))], ',')
    TYPE text(tokenizer = splitByString([',', '{', '}', '[', ']']));

-- What is stored already: in the background, a part at a time.
ALTER TABLE spans${suffix} ${on_cluster} MATERIALIZE INDEX words;

ALTER TABLE spans${suffix} ${on_cluster} MATERIALIZE INDEX facets;
