-- title: Layer profile of a model
-- description: The score of every layer of a model. In robust protocols it is not the score of the best of them, which is chosen on other data.
SELECT
    CASE WHEN r.simulated THEN 'SIMULATED' ELSE 'real' END AS data,
    r.dataset, r.region, r.item_set, r.metric || '/' || r.protocol AS metric, r.model, r.revision,
    l.position, l.layer, round(l.score, 4) AS score, round(l.spread, 4) AS spread,
    l.unscored AS why_none, r.fingerprint
FROM records r JOIN layer_scores l ON l.record_id = r.id
WHERE r.kind = 'score' AND r.model = :model
    AND (:dataset = '' OR r.dataset = :dataset)
    AND (:region = '' OR r.region = :region)
ORDER BY r.simulated, r.dataset, r.metric, r.protocol, r.item_set_position, r.region_position,
    r.fingerprint, l.position
