-- title: Ideas and how far their scorer can be trusted
-- description: How original each model's ideas are said to be, and how far that scorer agrees with people (correlation with their ratings of responses it has not learnt from).
SELECT
    CASE WHEN simulated THEN 'SIMULATED' ELSE 'real' END AS data,
    dataset, scorer, helper, rank AS rank_by_score, model, revision, intervention,
    round(score, 4) AS score, round(low, 4) AS low, round(high, 4) AS high, scale_low, scale_high,
    texts, unscored, round(validity, 3) AS validity, round(validity_low, 3) AS validity_low,
    round(validity_high, 3) AS validity_high, round(validity_by_object, 3) AS validity_within_objects,
    validity_held_out AS rated_responses, started, fingerprint
FROM idea_standings
WHERE outcome = 'scores' AND (:scorer = '' OR scorer = :scorer)
ORDER BY simulated, dataset, scorer, helper, question, rank IS NULL, rank, score DESC, fingerprint
