-- The numbers that a visitor of a chat sees: places in the thread of an address, in the order of the record. They can
-- be made again from the record at any time, and are the same then. No personal data.
CREATE TABLE service.chat_lines (
    tenant     text    NOT NULL,
    address_id uuid    NOT NULL,
    number     integer NOT NULL,
    event_id   uuid    NOT NULL,
    position   bigint  NOT NULL,
    PRIMARY KEY (tenant, address_id, number),
    UNIQUE (tenant, event_id)
);

-- Up to where the record is numbered. Its row is the lock: one process numbers at a time.
CREATE TABLE service.chat_cursor (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint  NOT NULL
);
-- No fact before this version is a chat's.
INSERT INTO service.chat_cursor (position) SELECT coalesce(max(position), 0) FROM record.facts;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tamas_chat') THEN
        CREATE ROLE tamas_chat NOLOGIN;
    END IF;
    GRANT tamas_chat TO CURRENT_USER;
END $$;
GRANT USAGE ON SCHEMA record, service TO tamas_chat;
GRANT SELECT ON record.facts TO tamas_chat;
GRANT SELECT, INSERT ON service.chat_lines TO tamas_chat;
GRANT SELECT, UPDATE ON service.chat_cursor TO tamas_chat;
CREATE POLICY read_all ON record.facts FOR SELECT TO tamas_chat USING (true);
