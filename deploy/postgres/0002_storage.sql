-- What Microsoft.Orleans.Persistence.AdoNet 10 needs, and what this product keeps beside it.

-- An instant of the clear header of a stored snapshot: byte 0 is 0xDA, byte 1 the version of the envelope, then 64-bit big-endian Unix
-- times in milliseconds: oldest load at byte 2, newest load at byte 10, expiry at byte 18. Anything else has no instant, and is no error:
-- whatever is stored can be stored.
CREATE FUNCTION droits_header_instant(payload bytea, first_byte integer) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $f$
DECLARE
    milliseconds bigint;
BEGIN
    IF payload IS NULL OR octet_length(payload) < 26 OR get_byte(payload, 0) <> 218 THEN
        RETURN NULL;
    END IF;

    milliseconds := ('x' || encode(substring(payload FROM first_byte + 1 FOR 8), 'hex'))::bit(64)::bigint;

    -- From year 1 to year 9999, what a DateTimeOffset holds.
    IF milliseconds NOT BETWEEN -62135596800000 AND 253402300799999 THEN
        RETURN NULL;
    END IF;
    RETURN to_timestamp(milliseconds / 1000.0);
END
$f$;

CREATE TABLE orleansstorage
(
    serviceid varchar(150) NOT NULL,
    graintypehash integer NOT NULL,
    grainidhash integer NOT NULL,
    grainidn0 bigint NOT NULL,
    grainidn1 bigint NOT NULL,
    graintypestring varchar(512) NOT NULL,
    grainidextensionstring varchar(512) NULL,
    version integer NOT NULL,
    payloadbinary bytea NULL,
    modifiedon timestamptz NOT NULL DEFAULT now(),

    -- The least version the change feed has announced for a row that exists: what is stored may be older.
    least_version bigint NOT NULL DEFAULT 0,

    oldest_load timestamptz GENERATED ALWAYS AS (droits_header_instant(payloadbinary, 2)) STORED,
    newest_load timestamptz GENERATED ALWAYS AS (droits_header_instant(payloadbinary, 10)) STORED,
    expires_at timestamptz GENERATED ALWAYS AS (droits_header_instant(payloadbinary, 18)) STORED
);

-- Encrypted bytes cannot be made shorter: do not try.
ALTER TABLE orleansstorage ALTER COLUMN payloadbinary SET STORAGE EXTERNAL;

-- One row for each state. Without it, first writes that come at once would each leave a row, and no read would work again.
CREATE UNIQUE INDEX orleansstorage_key ON orleansstorage
    (serviceid, graintypehash, grainidhash, grainidn0, grainidn1, graintypestring, coalesce(grainidextensionstring, ''));

-- By name: for the change feed and the operator, who do not know the provider's hashes.
CREATE INDEX orleansstorage_name ON orleansstorage (serviceid, graintypestring, grainidextensionstring);
CREATE INDEX orleansstorage_expires_at ON orleansstorage (expires_at);
CREATE INDEX orleansstorage_newest_load ON orleansstorage (newest_load);

-- The version after the write. A write that did not happen gives back the version it expected (null for a first write), which the
-- provider tells as InconsistentStateException.
CREATE FUNCTION writetostorage(
    service_id varchar, type_hash integer, id_hash integer, n0 bigint, n1 bigint, type_name varchar, extension varchar,
    expected integer, payload bytea) RETURNS integer
LANGUAGE plpgsql AS $f$
DECLARE
    written integer;
BEGIN
    IF expected IS NULL THEN
        INSERT INTO orleansstorage
            (serviceid, graintypehash, grainidhash, grainidn0, grainidn1, graintypestring, grainidextensionstring, version, payloadbinary)
        VALUES (service_id, type_hash, id_hash, n0, n1, type_name, extension, 1, payload)
        ON CONFLICT DO NOTHING
        RETURNING version INTO written;
    ELSE
        UPDATE orleansstorage
        SET payloadbinary = payload, modifiedon = now(), version = version + 1
        WHERE serviceid = service_id AND graintypehash = type_hash AND grainidhash = id_hash AND grainidn0 = n0 AND grainidn1 = n1
          AND graintypestring = type_name AND coalesce(grainidextensionstring, '') = coalesce(extension, '')
          AND version = expected
        RETURNING version INTO written;
    END IF;

    RETURN coalesce(written, expected);
END
$f$;

INSERT INTO orleansquery (querykey, querytext) VALUES

('WriteToStorageKey', $q$
SELECT writetostorage(@ServiceId, @GrainTypeHash, @GrainIdHash, @GrainIdN0, @GrainIdN1, @GrainTypeString, @GrainIdExtensionString,
    @GrainStateVersion, @PayloadBinary) AS NewGrainStateVersion
$q$),

-- The payload comes with least_version in front of it, as 8 bytes, big-endian.
('ReadFromStorageKey', $q$
SELECT int8send(least_version) || payloadbinary AS PayloadBinary, version AS Version
FROM orleansstorage
WHERE serviceid = @ServiceId AND graintypehash = @GrainTypeHash AND grainidhash = @GrainIdHash AND grainidn0 = @GrainIdN0
  AND grainidn1 = @GrainIdN1 AND graintypestring = @GrainTypeString
  AND coalesce(grainidextensionstring, '') = coalesce(@GrainIdExtensionString, '')
$q$),

-- The row stays, without what was stored.
('ClearStorageKey', $q$
UPDATE orleansstorage
SET payloadbinary = NULL, modifiedon = now(), version = version + 1
WHERE serviceid = @ServiceId AND graintypehash = @GrainTypeHash AND grainidhash = @GrainIdHash AND grainidn0 = @GrainIdN0
  AND grainidn1 = @GrainIdN1 AND graintypestring = @GrainTypeString
  AND coalesce(grainidextensionstring, '') = coalesce(@GrainIdExtensionString, '')
  AND version = @GrainStateVersion
RETURNING version AS NewGrainStateVersion
$q$),

-- The row goes. The provider wants another version than the one it had, to know that it was there.
('DeleteStorageKey', $q$
DELETE FROM orleansstorage
WHERE serviceid = @ServiceId AND graintypehash = @GrainTypeHash AND grainidhash = @GrainIdHash AND grainidn0 = @GrainIdN0
  AND grainidn1 = @GrainIdN1 AND graintypestring = @GrainTypeString
  AND coalesce(grainidextensionstring, '') = coalesce(@GrainIdExtensionString, '')
  AND version = @GrainStateVersion
RETURNING version + 1 AS NewGrainStateVersion
$q$);
