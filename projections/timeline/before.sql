-- Nothing analyses the staging tables, and PostgreSQL takes an empty one for a full one: then it reads all interactions
-- to join them with nothing. A batch is always small beside the tables, so every join goes by their indexes.
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_seqscan = off;
