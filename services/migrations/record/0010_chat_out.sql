-- What we answer is in a visitor's thread too: such a line has the message_id as its event_id, and the position at which
-- the message was handed off.
ALTER TABLE service.chat_lines ADD COLUMN ours boolean NOT NULL DEFAULT false;
CREATE INDEX decisions_handed_off ON record.decisions (position) WHERE type = 'message.handed_off';

-- Up to which number of a thread it was told that our lines were delivered and read. Without it the receipts would only
-- be offered to the record again, which knows them.
CREATE TABLE service.chat_seen (
    tenant     text    NOT NULL,
    address_id uuid    NOT NULL,
    delivered  integer NOT NULL,
    read       integer NOT NULL,
    PRIMARY KEY (tenant, address_id)
) WITH (fillfactor = 80);

GRANT SELECT ON record.decisions TO tamas_chat;
GRANT SELECT, INSERT, UPDATE ON service.chat_seen TO tamas_chat;
CREATE POLICY read_all ON record.decisions FOR SELECT TO tamas_chat USING (true);
