-- The ledger of several hosts. Run once, in a database of UTF8, by the role that shall own it:
--
--   psql -v ON_ERROR_STOP=1 -v jml=jml -f schema.sql "dbname=jml user=jml_owner"
--
-- jml itself works as another role (`-v jml=NAME`), which may add and read entries and bodies and keep leases, and nothing else.

BEGIN;
CREATE SCHEMA jml;

-- Columns beside the envelope are computed from the very text that is hashed; those of a body lie with it, to be erased with it.
CREATE TABLE jml.envelope (
  seq      bigint PRIMARY KEY,
  envelope text NOT NULL,
  hash     bytea NOT NULL CHECK (octet_length(hash) = 32),
  run      text GENERATED ALWAYS AS (envelope::json ->> 'run') STORED,
  kind     text GENERATED ALWAYS AS (envelope::json ->> 'kind') STORED,
  time     text GENERATED ALWAYS AS (envelope::json ->> 'time') STORED
);
CREATE INDEX envelope_run ON jml.envelope (run);
CREATE INDEX envelope_kind ON jml.envelope (kind);

-- Bytes, for a name from outside may hold what a text of PostgreSQL may not.
CREATE TABLE jml.body (
  seq     bigint PRIMARY KEY,
  salt    bytea NOT NULL,
  body    text NOT NULL,
  subject bytea,
  login   bytea
);
CREATE INDEX body_subject ON jml.body (subject) WHERE subject IS NOT NULL;
CREATE INDEX body_login ON jml.body (lower(encode(login, 'escape') COLLATE "C")) WHERE login IS NOT NULL;

-- A lease lives until `expires`, by this server's clock. No row is ever taken out: the next holder's token is higher.
CREATE TABLE jml.lease (
  subject bytea PRIMARY KEY,
  token   bigint NOT NULL,
  run     text NOT NULL,
  host    text NOT NULL,
  pid     bigint NOT NULL,
  since   timestamptz NOT NULL,
  session text NOT NULL,
  expires timestamptz NOT NULL
);

CREATE FUNCTION jml.append_only() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'the ledger is append-only';
END $$;

CREATE FUNCTION jml.follows() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  last jml.envelope;
BEGIN
  SELECT * INTO last FROM jml.envelope ORDER BY seq DESC LIMIT 1;
  IF NEW.seq IS DISTINCT FROM coalesce(last.seq, 0) + 1
    OR NEW.envelope::json ->> 'seq' IS DISTINCT FROM NEW.seq::text
    OR NEW.envelope::json ->> 'prev' IS DISTINCT FROM coalesce(encode(last.hash, 'hex'), repeat('0', 64))
  THEN
    RAISE EXCEPTION 'the entry does not follow the last one';
  END IF;
  RETURN NEW;
END $$;

-- Written with its envelope or never.
CREATE FUNCTION jml.belongs() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM jml.envelope WHERE seq = NEW.seq AND xmin = pg_current_xact_id()::xid) THEN
    RAISE EXCEPTION 'the body belongs to no new entry';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER envelope_append_only BEFORE UPDATE OR DELETE ON jml.envelope FOR EACH ROW EXECUTE FUNCTION jml.append_only();
CREATE TRIGGER envelope_no_truncate BEFORE TRUNCATE ON jml.envelope FOR EACH STATEMENT EXECUTE FUNCTION jml.append_only();
CREATE TRIGGER envelope_follows BEFORE INSERT ON jml.envelope FOR EACH ROW EXECUTE FUNCTION jml.follows();
CREATE TRIGGER body_append_only BEFORE UPDATE ON jml.body FOR EACH ROW EXECUTE FUNCTION jml.append_only();
CREATE TRIGGER body_no_truncate BEFORE TRUNCATE ON jml.body FOR EACH STATEMENT EXECUTE FUNCTION jml.append_only();
CREATE TRIGGER body_belongs BEFORE INSERT ON jml.body FOR EACH ROW EXECUTE FUNCTION jml.belongs();

GRANT USAGE ON SCHEMA jml TO :"jml";
GRANT SELECT, INSERT ON jml.envelope, jml.body TO :"jml";
GRANT SELECT, INSERT, UPDATE ON jml.lease TO :"jml";
COMMIT;
