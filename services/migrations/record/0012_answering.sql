-- Where an answer can go depends on where its customer spoke last: the API reads its tenant's rows, deciders all.
ALTER TABLE service.conversation_senders ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON service.conversation_senders TO tamas_api;
CREATE POLICY one_tenant ON service.conversation_senders TO tamas_api
    USING (tenant = current_setting('tamas.tenant', true));
CREATE POLICY all_rows ON service.conversation_senders TO tamas_decider USING (true) WITH CHECK (true);
-- What one tenant settled, whatever others did.
CREATE INDEX decisions_of_a_tenants_settings ON record.decisions (tenant, position) WHERE topic = 'settings';
