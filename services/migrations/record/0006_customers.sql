-- What is known of one customer is read by address where an answer is decided: few rows each, and few of all facts.
CREATE INDEX facts_of_customers ON record.facts (tenant, subject, position)
    WHERE topic = 'customers' OR type = 'fact.withdrawn';

-- A command that leads to facts is noted with them.
GRANT INSERT, SELECT ON record.commands TO tamas_ingress;
CREATE POLICY all_rows ON record.commands TO tamas_ingress USING (true) WITH CHECK (true);
