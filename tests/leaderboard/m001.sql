-- A results file with one record, as the first schema wrote it. Never edit: it stands for users' files.
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'brainbench','m001_records','2026-11-20 20:31:19.336586+00:00');
CREATE TABLE layer_scores (
            record_id INTEGER NOT NULL REFERENCES records(id) ON DELETE CASCADE,
            position INTEGER NOT NULL, layer TEXT NOT NULL, score REAL, spread REAL, unscored TEXT,
            PRIMARY KEY (record_id, position),
            CHECK ((score IS NULL) = (unscored IS NOT NULL))
        );
INSERT INTO "layer_scores" VALUES(1,0,'layer.0',-0.257963214481531,9.5916952258362928041e-02,NULL);
INSERT INTO "layer_scores" VALUES(1,1,'layer.1',-2.576265297662395648e-01,1.0160579633984906378e-01,NULL);
INSERT INTO "layer_scores" VALUES(1,2,'layer.9',NULL,NULL,'none');
CREATE TABLE participant_scores (
            record_id INTEGER NOT NULL, position INTEGER NOT NULL,
            participant TEXT NOT NULL, score REAL NOT NULL,
            PRIMARY KEY (record_id, position, participant),
            FOREIGN KEY (record_id, position)
                REFERENCES layer_scores(record_id, position) ON DELETE CASCADE
        );
INSERT INTO "participant_scores" VALUES(1,0,'p0',-2.57133174772531669649e-01);
INSERT INTO "participant_scores" VALUES(1,0,'p1',-3.75849830355497072087e-01);
INSERT INTO "participant_scores" VALUES(1,0,'p2',-1.40906638316564220003e-01);
INSERT INTO "participant_scores" VALUES(1,1,'p0',-2.83464676402911841535e-01);
INSERT INTO "participant_scores" VALUES(1,1,'p1',-3.67120280157548717347e-01);
INSERT INTO "participant_scores" VALUES(1,1,'p2',-1.22294632738258163273e-01);
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
        );
INSERT INTO "records" VALUES(1,'c6866ce751f6b203074046bd3dca7ad1d627efee456f2867e2573af4677a4f24','d3388bc1ebd708527eb143c83c1bf9716a631b9e886246b609824b59a301ff75',1,'score','scores','letters','1','none',0,'toy',1,1,'left',0,'all',0,'first','paper',1,-2.576265297662395648e-01,NULL,1.0160579633984906378e-01,'SD','layer.1','maximum',3,NULL,NULL,NULL,NULL,'cpu','float64','0.1.0',NULL,'2026-11-20T20:00:00+00:00',0.5,'{}','{"dataset": {"data": "v1/left", "name": "toy", "provider": "c", "version": 1}, "intervention": {"name": "none", "parameters": {"name": "none", "version": 1}, "provider": "brainbench_interventions", "version": 1}, "item_set": {"name": "all", "where": {}}, "kind": "score", "metric": {"name": "first", "parameters": {"name": "first", "power": 1, "protocol": "paper", "version": 1}, "protocol": "paper", "provider": "c", "version": 1}, "model": {"name": "letters", "provider": "c", "revision": "1", "scale": 1.0}, "region": "left", "schema": 1, "seed": 0}','{"device": "cpu", "dtype": "float64", "brainbench": "0.1.0", "started": "2026-11-20T20:00:00+00:00", "seconds": 0.5}');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
COMMIT;
