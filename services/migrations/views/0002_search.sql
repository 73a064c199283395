-- For parts of addresses. Trusted, so that the owner of a database may make it; nothing else of Tamas needs it.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
    RAISE EXCEPTION 'the search needs the extension pg_trgm of PostgreSQL (package postgresql-contrib), and this role could not make it (%): install the package, let a superuser run CREATE EXTENSION pg_trgm in the database of VIEWS_URL, then run tamas migrate again',
        SQLERRM;
END $$;
