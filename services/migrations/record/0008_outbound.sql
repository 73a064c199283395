-- What a person is told, and where, is sealed in a decision as in a fact: under the key of this address.
ALTER TABLE record.decisions ADD COLUMN sealed_under uuid, ADD COLUMN personal bytea,
    ADD CONSTRAINT decisions_are_sealed CHECK ((sealed_under IS NULL) = (personal IS NULL));
CREATE INDEX decisions_by_address ON record.decisions (sealed_under, position) WHERE sealed_under IS NOT NULL;
