-- Keys are apart from what they seal, so that a dump of the record alone reads nothing. All wrapped by TAMAS_SECRET_KEY.
CREATE SCHEMA keys;

-- One HMAC key per tenant: the look-up of an address can't be guessed without it. Never rotated.
CREATE TABLE keys.lookups (
    tenant  text  PRIMARY KEY,
    wrapped bytea NOT NULL
);

-- `lookup` is HMAC(address). Erasing sets lookup and wrapped to NULL; the address, should it come again, is a new row.
CREATE TABLE keys.subjects (
    tenant     text        NOT NULL,
    address_id uuid        NOT NULL,
    lookup     bytea,
    epoch      integer     NOT NULL DEFAULT 1,
    wrapped    bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    erased_at  timestamptz,
    PRIMARY KEY (address_id),
    UNIQUE (lookup, tenant)
);

-- Raw requests are sealed per tenant and day; the row goes when the day is dropped.
CREATE TABLE keys.days (
    tenant  text  NOT NULL,
    day     date  NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (tenant, day)
);

-- Secrets of inboxes: write-only for people, opened by ingress. Several versions may be valid during a grace.
CREATE TABLE keys.secrets (
    tenant      text        NOT NULL,
    inbox_id    uuid        NOT NULL,
    name        text        NOT NULL,
    version     integer     NOT NULL,
    sealed      bytea       NOT NULL,
    valid_until timestamptz NOT NULL DEFAULT 'infinity',
    PRIMARY KEY (inbox_id, name, version)
);

-- The secret path of an inbox, kept as its SHA-256 digest for finding and sealed for showing to its owner.
CREATE TABLE keys.doors (
    digest      bytea       PRIMARY KEY,
    tenant      text        NOT NULL,
    inbox_id    uuid        NOT NULL,
    sealed      bytea       NOT NULL,
    valid_until timestamptz NOT NULL DEFAULT 'infinity'
);
CREATE INDEX doors_by_inbox ON keys.doors (inbox_id);
