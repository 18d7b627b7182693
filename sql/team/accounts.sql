-- Who is of the team, and which accounts of type User are bots: one row per login, in lower case, from [team] and [bots]
-- in config/team.toml. The view is empty without the file.
--
-- Cost: reads no table.

CREATE OR REPLACE VIEW `${DATASET}.accounts` OPTIONS (labels = [("app", "issuewire")]) AS
SELECT login, role
FROM UNNEST(ARRAY<STRUCT<login STRING, role STRING>>[${ACCOUNTS}]);
