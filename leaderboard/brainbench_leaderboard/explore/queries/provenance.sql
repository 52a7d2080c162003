-- title: Provenance of a result
-- description: All that a number was made from (facts, which its fingerprint is of) and made with (provenance: device, versions, time), by fingerprint or its first letters.
WITH every AS (
    SELECT fingerprint, facts, provenance FROM records
    UNION ALL SELECT fingerprint, facts, provenance FROM task_records
    UNION ALL SELECT fingerprint, facts, provenance FROM idea_records
    UNION ALL SELECT fingerprint, facts, provenance FROM validities
), chosen AS (
    SELECT * FROM every WHERE :fingerprint != '' AND substr(fingerprint, 1, length(:fingerprint)) = :fingerprint
)
SELECT fingerprint, 'facts' AS part, substr(fullkey, 3) AS name, atom AS value
FROM chosen, json_tree(facts) WHERE type NOT IN ('object', 'array')
UNION ALL
SELECT fingerprint, 'provenance', substr(fullkey, 3), atom
FROM chosen, json_tree(provenance) WHERE type NOT IN ('object', 'array')
ORDER BY 1, 2, 3
