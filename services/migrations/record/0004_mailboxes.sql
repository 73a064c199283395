-- How far each mailbox that we fetch from has been read. A UID means something only together with its UIDVALIDITY.
CREATE TABLE service.mailboxes (
    inbox_id    uuid        NOT NULL,
    mailbox     text        NOT NULL,
    uidvalidity bigint      NOT NULL,
    -- What lay at or below when we first came: nobody took a mail away from us there.
    floor_uid   bigint      NOT NULL,
    -- Everything up to here is on the record; everything up to there is marked or moved too.
    kept_uid    bigint      NOT NULL,
    marked_uid  bigint      NOT NULL,
    moved_at    timestamptz NOT NULL,
    PRIMARY KEY (inbox_id, mailbox)
);

-- Who fetches is a door too: under a lease, and no faster than the relay and the parsers keep up.
GRANT SELECT, INSERT, UPDATE ON service.mailboxes, service.leases TO tamas_ingress;
GRANT SELECT ON service.relay_cursor, service.pending TO tamas_ingress;
GRANT EXECUTE ON FUNCTION record.behind_since(bigint) TO tamas_ingress;
