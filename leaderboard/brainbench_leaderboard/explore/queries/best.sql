-- title: Best per dataset
-- description: For each dataset, region, set of items and metric the model with the highest score, as it is, beside the ceiling and the best dull predictor. Of many models the highest score is partly luck.
WITH scored AS (
    SELECT * FROM standings WHERE outcome = 'scores' AND resolved
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY question ORDER BY score DESC, fingerprint) AS place,
        count(*) OVER (PARTITION BY question) AS results
    FROM scored WHERE NOT baseline AND coalesce(intervention, 'none') = 'none'
), pairs AS (
    SELECT b.fingerprint, d.model, d.score,
        row_number() OVER (PARTITION BY b.fingerprint ORDER BY d.score DESC, d.fingerprint) AS place
    FROM placed b JOIN scored d ON d.question = b.question AND d.seed = b.seed
        AND d.nuisances IS b.nuisances
        AND (d.model_kind = 'baseline' OR d.model = 'untrained:' || b.model AND d.pooling IS b.pooling)
    WHERE b.place = 1
)
SELECT
    CASE WHEN b.simulated THEN 'SIMULATED' ELSE 'real' END AS data,
    b.dataset, b.dataset_version, b.region, b.item_set, b.metric || '/' || b.protocol AS metric,
    b.model, b.revision, b.intervention, round(b.score, 4) AS score,
    round(b.low, 4) AS low, round(b.high, 4) AS high,
    d.model AS dull_predictor, round(d.score, 4) AS dull_score, round(b.ceiling, 4) AS ceiling,
    b.results AS of_results, b.fingerprint
FROM placed b LEFT JOIN pairs d ON d.fingerprint = b.fingerprint AND d.place = 1
WHERE b.place = 1
ORDER BY b.simulated, b.dataset, b.dataset_version, b.metric, b.protocol, b.item_set_position,
    b.region_position, b.fingerprint
