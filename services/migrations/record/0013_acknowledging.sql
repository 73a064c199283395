-- A decider that asks for messages is told when its command was carried out before.
GRANT SELECT ON record.commands TO tamas_decider;
CREATE POLICY decider_reads ON record.commands FOR SELECT TO tamas_decider USING (true);
