"""The database's schema, as migrations: a file of any older version is brought up to date, never dropped.

The `rank` of the views is by score alone, for whoever reads them with other tools. The board shows ranks that
models share which cannot be told apart: `ties`.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from brainbench_leaderboard import idea_views, score_views, task_views

migrations = Migrations("brainbench")


@migrations()
def m001_records(db: Database) -> None:
    """One row a cell in `records`; its layers and participants in two tables that follow it."""
    db.execute(
        """
        CREATE TABLE records (
            id INTEGER PRIMARY KEY,
            fingerprint TEXT NOT NULL UNIQUE, question TEXT NOT NULL,
            resolved INTEGER NOT NULL CHECK (resolved IN (0, 1)),
            kind TEXT NOT NULL CHECK (kind IN ('score', 'ceiling')),
            outcome TEXT NOT NULL CHECK (outcome IN ('scores', 'skip', 'failure')),
            model TEXT, revision TEXT, intervention TEXT, seed INTEGER,
            dataset TEXT NOT NULL, dataset_version INTEGER NOT NULL, simulated INTEGER NOT NULL,
            region TEXT NOT NULL, region_position INTEGER NOT NULL,
            item_set TEXT NOT NULL, item_set_position INTEGER NOT NULL,
            metric TEXT NOT NULL, protocol TEXT NOT NULL, metric_version INTEGER NOT NULL,
            score REAL, like_for_like REAL, spread REAL, spread_kind TEXT,
            best_layer TEXT, choice TEXT, participants INTEGER,
            reason TEXT, phase TEXT, exception TEXT, hint TEXT,
            device TEXT, dtype TEXT, brainbench TEXT, git_commit TEXT, started TEXT, seconds REAL,
            details TEXT NOT NULL, facts TEXT NOT NULL, provenance TEXT NOT NULL,
            CHECK ((outcome = 'scores') = (score IS NOT NULL)),
            CHECK ((outcome = 'scores') = (reason IS NULL)),
            CHECK ((kind = 'score') = (model IS NOT NULL))
        )
        """
    )
    db.execute(
        """
        CREATE TABLE layer_scores (
            record_id INTEGER NOT NULL REFERENCES records(id) ON DELETE CASCADE,
            position INTEGER NOT NULL, layer TEXT NOT NULL, score REAL, spread REAL, unscored TEXT,
            PRIMARY KEY (record_id, position),
            CHECK ((score IS NULL) = (unscored IS NOT NULL))
        )
        """
    )
    db.execute(
        """
        CREATE TABLE participant_scores (
            record_id INTEGER NOT NULL, position INTEGER NOT NULL,
            participant TEXT NOT NULL, score REAL NOT NULL,
            PRIMARY KEY (record_id, position, participant),
            FOREIGN KEY (record_id, position)
                REFERENCES layer_scores(record_id, position) ON DELETE CASCADE
        )
        """
    )


@migrations()
def m002_standings(db: Database) -> None:
    """The board as a view: ranks among what may be compared, the ceiling beside each score."""
    db.execute(
        """
        CREATE VIEW standings AS
        SELECT
            CASE WHEN r.outcome = 'scores' AND r.resolved THEN rank() OVER (
                PARTITION BY r.question, r.outcome, r.resolved ORDER BY r.score DESC
            ) END AS rank,
            r.model, r.revision, r.intervention, r.seed, r.dtype,
            json_extract(r.facts, '$.model.pooling') AS pooling,
            json_extract(r.facts, '$.metric.parameters') AS parameters,
            r.dataset, r.dataset_version, r.simulated,
            r.region, r.region_position, r.item_set, r.item_set_position,
            r.metric, r.protocol, r.metric_version,
            r.outcome, r.score, r.spread, r.spread_kind, r.best_layer, r.choice, r.participants,
            c.score AS ceiling, c.like_for_like AS ceiling_like_for_like, c.choice AS ceiling_choice,
            c.outcome AS ceiling_outcome, c.reason AS ceiling_reason,
            r.reason, r.phase, r.exception, r.hint, r.resolved, r.started, r.seconds,
            r.fingerprint, r.question
        FROM records r LEFT JOIN records c
            ON c.kind = 'ceiling' AND c.resolved AND c.question = r.question
        WHERE r.kind = 'score'
        """
    )


@migrations()
def m003_baselines(db: Database) -> None:
    """Baselines stand apart and unranked; `per_item` holds what each item adds to each person's score.

    That is JSON: {"items": [...], "participants": [...], "scores": [[...], ...]}, null where one lacks it.
    From the details of robust metrics the view takes interval, p value and what is left `beyond` all dull
    predictors together (a share of variance, or a partial correlation).
    """
    db.execute("ALTER TABLE records ADD COLUMN per_item TEXT")
    db.execute("DROP VIEW standings")
    db.execute(
        """
        CREATE VIEW standings AS
        WITH known AS (
            SELECT *, coalesce(json_extract(facts, '$.baseline'), 0) AS baseline FROM records
        )
        SELECT
            CASE WHEN r.outcome = 'scores' AND r.resolved AND NOT r.baseline THEN rank() OVER (
                PARTITION BY r.question, r.outcome, r.resolved, r.baseline ORDER BY r.score DESC
            ) END AS rank,
            r.model, r.baseline, json_extract(r.facts, '$.model.kind') AS model_kind,
            r.revision, r.intervention, r.seed, r.dtype, json_extract(r.facts, '$.nuisances') AS nuisances,
            json_extract(r.facts, '$.model.pooling') AS pooling,
            json_extract(r.facts, '$.metric.parameters') AS parameters,
            r.dataset, r.dataset_version, r.simulated,
            r.region, r.region_position, r.item_set, r.item_set_position,
            r.metric, r.protocol, r.metric_version,
            r.outcome, r.score, r.spread, r.spread_kind, r.best_layer, r.choice, r.participants,
            json_extract(r.details, '$.interval.low') AS low,
            json_extract(r.details, '$.interval.high') AS high,
            coalesce(json_extract(r.details, '$.p'), json_extract(r.details, '$.null.p')) AS p,
            coalesce(
                json_extract(r.details, '$.unique_variance.r2_unique'),
                json_extract(r.details, '$.partial."cross-validated"')
            ) AS beyond,
            coalesce(
                json_extract(r.details, '$.unique_variance.interval.low'),
                json_extract(r.details, '$.partial.interval.low')
            ) AS beyond_low,
            coalesce(
                json_extract(r.details, '$.unique_variance.interval.high'),
                json_extract(r.details, '$.partial.interval.high')
            ) AS beyond_high,
            c.score AS ceiling, c.like_for_like AS ceiling_like_for_like, c.choice AS ceiling_choice,
            c.outcome AS ceiling_outcome, c.reason AS ceiling_reason,
            r.reason, r.phase, r.exception, r.hint, r.resolved, r.started, r.seconds,
            r.fingerprint, r.question
        FROM known r LEFT JOIN records c
            ON c.kind = 'ceiling' AND c.resolved AND c.question = r.question
        WHERE r.kind = 'score'
        """
    )


@migrations()
def m004_tasks(db: Database) -> None:
    """Tasks: one row a cell in `task_records`, one row a question in `task_items`, and the view of them.

    by_condition is JSON: {"type": {"syllogism": 0.7, ...}, ...}. choices and log_likelihoods of an item are
    JSON lists; what was generated instead of chosen has neither.
    """
    db.execute(
        """
        CREATE TABLE task_records (
            id INTEGER PRIMARY KEY,
            fingerprint TEXT NOT NULL UNIQUE, question TEXT NOT NULL,
            resolved INTEGER NOT NULL CHECK (resolved IN (0, 1)),
            outcome TEXT NOT NULL CHECK (outcome IN ('scores', 'skip', 'failure')),
            model TEXT NOT NULL, revision TEXT, intervention TEXT NOT NULL, learnt_from TEXT, seed INTEGER,
            baseline INTEGER NOT NULL,
            task TEXT NOT NULL, task_version INTEGER NOT NULL, problem_limit INTEGER,
            accuracy REAL, low REAL, high REAL, interval_level REAL, interval_method TEXT,
            items INTEGER, problems INTEGER, chance REAL, constant_answer TEXT, constant_accuracy REAL,
            greedy_accuracy REAL, people_accuracy REAL, by_condition TEXT,
            reason TEXT, phase TEXT, exception TEXT, hint TEXT,
            device TEXT, dtype TEXT, brainbench TEXT, git_commit TEXT, started TEXT, seconds REAL,
            details TEXT NOT NULL, facts TEXT NOT NULL, provenance TEXT NOT NULL,
            CHECK ((outcome = 'scores') = (accuracy IS NOT NULL)),
            CHECK ((outcome = 'scores') = (reason IS NULL))
        )
        """
    )
    db.execute(
        """
        CREATE TABLE task_items (
            record_id INTEGER NOT NULL REFERENCES task_records(id) ON DELETE CASCADE,
            position INTEGER NOT NULL, item TEXT NOT NULL, problem TEXT NOT NULL,
            correct INTEGER NOT NULL CHECK (correct IN (0, 1)),
            answer TEXT NOT NULL, expected TEXT NOT NULL, greedy TEXT,
            choices TEXT, log_likelihoods TEXT, prompt_hash TEXT NOT NULL,
            PRIMARY KEY (record_id, position), UNIQUE (record_id, item)
        )
        """
    )
    db.execute(
        """
        CREATE VIEW task_standings AS
        SELECT
            'task' AS kind,
            CASE WHEN outcome = 'scores' AND resolved AND NOT baseline THEN rank() OVER (
                PARTITION BY question, outcome, resolved, baseline ORDER BY accuracy DESC
            ) END AS rank,
            model, baseline, revision, intervention, learnt_from, seed, dtype,
            task, task_version, problem_limit, outcome, accuracy, low, high, interval_level, interval_method,
            items, problems, chance, constant_answer, constant_accuracy, greedy_accuracy, people_accuracy,
            by_condition, details, reason, phase, exception, hint, resolved, started, seconds,
            fingerprint, question
        FROM task_records
        """
    )


@migrations()
def m005_steering(db: Database) -> None:
    """What is known of a steering stands in `task_standings`, from the `details` of its record.

    Never ranked: what was told the right answers (oracle), what had its strength chosen on the test set
    (protocol 'paper'), what was fitted on the very items (seen > 0), and what does not say.
    """
    db.execute("DROP VIEW task_standings")
    db.execute(task_views.STEERED)


@migrations()
def m006_tuning(db: Database) -> None:
    """What is known of a fine-tuning stands in `task_standings`, too, from the `details` of its record.

    trained: whether the intervention trains a model, and training_seed from which seed: known also of what
    was skipped or failed.
    """
    db.execute("ALTER TABLE task_records ADD COLUMN trained INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE task_records ADD COLUMN training_seed INTEGER")
    db.execute("DROP VIEW task_standings")
    db.execute(task_views.TUNED)


@migrations()
def m007_ideas(db: Database) -> None:
    """Ideas: one row a cell in `idea_records`, one a text in `ideas`, and the view of them.

    `validities`: how far a scorer with its helper agrees with people, by the fingerprint of what both are,
    which idea_records has as scorer_fingerprint. In `standings`, how the ideas were drawn that a model was
    read with, and the ceiling of such a score.
    """
    for statement in (idea_views.RECORDS, idea_views.IDEAS, idea_views.VALIDITIES, idea_views.STANDINGS):
        db.execute(statement)
    db.execute("ALTER TABLE records ADD COLUMN ceiling_question TEXT")
    db.execute("DROP VIEW standings")
    db.execute(score_views.STANDINGS)
