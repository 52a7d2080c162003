-- title: Standings
-- description: All scores on brain data, best first within what may be compared. Leave a field empty for all. rank_by_score is of scores alone, with what steering or training changed among them: the board ranks models as they are, and shows which cannot be told apart.
SELECT
    CASE WHEN simulated THEN 'SIMULATED' ELSE 'real' END AS data,
    dataset, dataset_version, region, item_set,
    metric || '/' || protocol AS metric, metric_version,
    rank AS rank_by_score, model, revision, intervention,
    round(score, 4) AS score, round(low, 4) AS low, round(high, 4) AS high, round(ceiling, 4) AS ceiling,
    best_layer, participants, seed, dtype, pooling, started, fingerprint
FROM standings
WHERE outcome = 'scores'
    AND (:dataset = '' OR dataset = :dataset)
    AND (:region = '' OR region = :region)
    AND (:metric = '' OR metric || '/' || protocol = :metric)
ORDER BY simulated, dataset, dataset_version, metric, protocol, metric_version,
    item_set_position, region_position, question, rank IS NULL, rank, score DESC, fingerprint
