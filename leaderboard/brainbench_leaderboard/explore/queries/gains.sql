-- title: What steering and fine-tuning changed
-- description: Each changed model beside itself unchanged on the same problems: answers repaired and spoilt, and what it cost in perplexity. The board sets it beside the best control, with intervals.
SELECT
    s.task, s.problem_limit, s.model, s.revision, s.intervention, s.learnt_from, s.role, s.training_seed,
    round(u.accuracy, 4) AS unchanged, round(s.accuracy, 4) AS changed,
    round(s.accuracy - u.accuracy, 4) AS gain,
    (
        SELECT sum(a.correct > b.correct)
        FROM task_items a JOIN task_items b ON b.item = a.item AND b.record_id = ur.id
        WHERE a.record_id = sr.id
    ) AS repaired,
    (
        SELECT sum(a.correct < b.correct)
        FROM task_items a JOIN task_items b ON b.item = a.item AND b.record_id = ur.id
        WHERE a.record_id = sr.id
    ) AS spoilt,
    round(s.perplexity_before, 3) AS perplexity_before, round(s.perplexity_after, 3) AS perplexity_after,
    s.oracle, s.protocol, s.seen, s.fingerprint
FROM task_standings s
JOIN task_records sr ON sr.fingerprint = s.fingerprint
JOIN task_standings u ON u.question = s.question AND u.model = s.model AND u.revision IS s.revision
    AND u.dtype IS s.dtype AND u.seed IS s.seed AND u.intervention = 'none' AND u.outcome = 'scores'
JOIN task_records ur ON ur.fingerprint = u.fingerprint
WHERE s.intervention != 'none' AND s.outcome = 'scores' AND (:task = '' OR s.task = :task)
ORDER BY s.task, s.model, gain DESC, s.fingerprint
