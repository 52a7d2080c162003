-- title: Skipped and failed, with reasons
-- description: What has no score, and why. A failure is tried again by the next run; a skip says what does not apply.
WITH every AS (
    SELECT outcome, model, intervention, dataset AS dataset_or_task, region,
        metric || '/' || protocol AS asked, reason, phase, exception, hint, started, fingerprint
    FROM records
    UNION ALL
    SELECT outcome, model, intervention, task, NULL, 'task', reason, phase, exception, hint, started,
        fingerprint
    FROM task_records
    UNION ALL
    SELECT outcome, model, intervention, dataset, NULL, scorer, reason, phase, exception, hint, started,
        fingerprint
    FROM idea_records
)
SELECT * FROM every
WHERE outcome != 'scores' AND (:outcome = '' OR outcome = :outcome)
ORDER BY outcome, reason, model, dataset_or_task, region, asked, fingerprint
