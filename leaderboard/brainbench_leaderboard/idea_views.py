"""Tables and view of ideas and their scores, as the migrations of the schema made them."""

from __future__ import annotations

RECORDS = """
CREATE TABLE idea_records (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE, question TEXT NOT NULL,
    resolved INTEGER NOT NULL CHECK (resolved IN (0, 1)),
    outcome TEXT NOT NULL CHECK (outcome IN ('scores', 'skip', 'failure')),
    model TEXT NOT NULL, revision TEXT, intervention TEXT NOT NULL, learnt_from TEXT, seed INTEGER,
    baseline INTEGER NOT NULL,
    dataset TEXT, dataset_version INTEGER, simulated INTEGER NOT NULL,
    scorer TEXT NOT NULL, helper TEXT NOT NULL, scorer_version INTEGER NOT NULL, scorer_fingerprint TEXT,
    score REAL, low REAL, high REAL, interval_level REAL, interval_method TEXT,
    items INTEGER, texts INTEGER, unscored INTEGER, scale_low REAL NOT NULL, scale_high REAL NOT NULL,
    reason TEXT, phase TEXT, exception TEXT, hint TEXT,
    device TEXT, dtype TEXT, brainbench TEXT, git_commit TEXT, started TEXT, seconds REAL,
    details TEXT NOT NULL, facts TEXT NOT NULL, provenance TEXT NOT NULL,
    CHECK ((outcome = 'scores') = (score IS NOT NULL)),
    CHECK ((outcome = 'scores') = (reason IS NULL))
)
"""

IDEAS = """
CREATE TABLE ideas (
    record_id INTEGER NOT NULL REFERENCES idea_records(id) ON DELETE CASCADE,
    position INTEGER NOT NULL, item TEXT NOT NULL, about TEXT NOT NULL,
    draw INTEGER NOT NULL, seed INTEGER NOT NULL, text TEXT NOT NULL, score REAL,
    PRIMARY KEY (record_id, position), UNIQUE (record_id, item, draw)
)
"""

VALIDITIES = """
CREATE TABLE validities (
    fingerprint TEXT PRIMARY KEY,
    scorer TEXT NOT NULL, helper TEXT NOT NULL, scorer_version INTEGER NOT NULL,
    responses INTEGER NOT NULL, held_out INTEGER NOT NULL, unscored INTEGER NOT NULL,
    pearson REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL, interval_level REAL NOT NULL,
    spearman REAL NOT NULL, by_object REAL, by_object_low REAL, by_object_high REAL,
    details TEXT NOT NULL, facts TEXT NOT NULL, provenance TEXT NOT NULL
)
"""

# A changed model is never ranked: what it was changed by may have learnt from these very objects.
STANDINGS = """
CREATE VIEW idea_standings AS
WITH judged AS (
    SELECT *, outcome = 'scores' AND resolved AND NOT baseline AND intervention = 'none' AS fair
    FROM idea_records
)
SELECT
    'ideas' AS kind,
    CASE WHEN r.fair THEN rank() OVER (PARTITION BY r.question, r.fair ORDER BY r.score DESC) END AS rank,
    r.model, r.baseline, r.revision, r.intervention, r.learnt_from, r.seed, r.dtype,
    r.dataset, r.dataset_version, r.simulated, r.scorer, r.helper, r.scorer_version,
    json_extract(r.facts, '$.ideas') AS sampling,
    r.outcome, r.score, r.low, r.high, r.interval_level, r.interval_method,
    r.items, r.texts, r.unscored, r.scale_low, r.scale_high,
    v.pearson AS validity, v.low AS validity_low, v.high AS validity_high, v.by_object AS validity_by_object,
    v.responses AS validity_responses, v.held_out AS validity_held_out,
    r.reason, r.phase, r.exception, r.hint, r.resolved, r.started, r.seconds,
    r.fingerprint, r.question, r.scorer_fingerprint, r.details
FROM judged r LEFT JOIN validities v ON v.fingerprint = r.scorer_fingerprint
"""
