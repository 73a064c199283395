-- Empties the staging tables, and gives the planner back what before.sql took from it.
DELETE FROM timeline_new_messages;
DELETE FROM timeline_new_receipts;
DELETE FROM timeline_new_calls;
DELETE FROM timeline_new_joined;
DELETE FROM timeline_new_sendings;
DELETE FROM timeline_new_withdrawn;
DELETE FROM timeline_new_erased;
DELETE FROM timeline_touched;
DELETE FROM timeline_touched_calls;

SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on;
SET LOCAL enable_seqscan = on;
