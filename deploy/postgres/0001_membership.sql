-- What Microsoft.Orleans.Clustering.AdoNet 10 needs: the texts it runs, by name, and who is a member of the cluster.
-- It fixes the keys of the texts, the names of their parameters and the names of the columns they give back; the rest is ours.

CREATE TABLE orleansquery
(
    querykey varchar(64) PRIMARY KEY,
    querytext text NOT NULL
);

-- One row for each cluster. Whoever changes a member must have read the version that stands here, and moves it on: that is what orders
-- all changes of the membership.
CREATE TABLE orleansmembershipversiontable
(
    deploymentid varchar(150) PRIMARY KEY,
    version integer NOT NULL DEFAULT 0,
    timestamp timestamptz NOT NULL DEFAULT now()
);

-- One row for each silo that ever joined; status 3 is Active.
CREATE TABLE orleansmembershiptable
(
    deploymentid varchar(150) NOT NULL REFERENCES orleansmembershipversiontable ON DELETE CASCADE,
    address varchar(45) NOT NULL,
    port integer NOT NULL,
    generation integer NOT NULL,
    siloname varchar(150) NOT NULL,
    hostname varchar(150) NOT NULL,
    status integer NOT NULL,
    proxyport integer NOT NULL,
    suspecttimes text NULL,
    starttime timestamptz NOT NULL,
    iamalivetime timestamptz NOT NULL,
    PRIMARY KEY (deploymentid, address, port, generation)
);

INSERT INTO orleansquery (querykey, querytext) VALUES

-- True when the row was not there.
('InsertMembershipVersionKey', $q$
WITH made AS (
    INSERT INTO orleansmembershipversiontable (deploymentid) VALUES (@DeploymentId)
    ON CONFLICT DO NOTHING
    RETURNING 1)
SELECT EXISTS (SELECT FROM made)
$q$),

-- True when the version was the expected one and the silo is new. The lock of the version's row makes one of those that come at once win.
('InsertMembershipKey', $q$
WITH moved AS (
    UPDATE orleansmembershipversiontable
    SET version = version + 1, timestamp = now()
    WHERE deploymentid = @DeploymentId
      AND version = @Version
      AND NOT EXISTS (
          SELECT FROM orleansmembershiptable
          WHERE deploymentid = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation)
    RETURNING deploymentid),
joined AS (
    INSERT INTO orleansmembershiptable
        (deploymentid, address, port, generation, siloname, hostname, status, proxyport, starttime, iamalivetime)
    SELECT deploymentid, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime
    FROM moved
    RETURNING 1)
SELECT EXISTS (SELECT FROM joined)
$q$),

-- True when the version was the expected one and the silo is known.
('UpdateMembershipKey', $q$
WITH moved AS (
    UPDATE orleansmembershipversiontable
    SET version = version + 1, timestamp = now()
    WHERE deploymentid = @DeploymentId
      AND version = @Version
      AND EXISTS (
          SELECT FROM orleansmembershiptable
          WHERE deploymentid = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation)
    RETURNING deploymentid),
changed AS (
    UPDATE orleansmembershiptable AS silo
    SET status = @Status, suspecttimes = @SuspectTimes, iamalivetime = @IAmAliveTime
    FROM moved
    WHERE silo.deploymentid = moved.deploymentid AND silo.address = @Address AND silo.port = @Port AND silo.generation = @Generation
    RETURNING 1)
SELECT EXISTS (SELECT FROM changed)
$q$),

-- A sign of life changes no version: nobody decides by it alone.
('UpdateIAmAlivetimeKey', $q$
UPDATE orleansmembershiptable
SET iamalivetime = @IAmAliveTime
WHERE deploymentid = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
$q$),

-- The version comes in any case, with empty columns beside it when there is no such silo.
('MembershipReadRowKey', $q$
SELECT silo.address, silo.port, silo.generation, silo.siloname, silo.hostname, silo.status, silo.proxyport, silo.suspecttimes,
    silo.starttime, silo.iamalivetime, cluster.version
FROM orleansmembershipversiontable AS cluster
LEFT JOIN orleansmembershiptable AS silo
    ON silo.deploymentid = cluster.deploymentid AND silo.address = @Address AND silo.port = @Port AND silo.generation = @Generation
WHERE cluster.deploymentid = @DeploymentId
$q$),

('MembershipReadAllKey', $q$
SELECT silo.address, silo.port, silo.generation, silo.siloname, silo.hostname, silo.status, silo.proxyport, silo.suspecttimes,
    silo.starttime, silo.iamalivetime, cluster.version
FROM orleansmembershipversiontable AS cluster
LEFT JOIN orleansmembershiptable AS silo ON silo.deploymentid = cluster.deploymentid
WHERE cluster.deploymentid = @DeploymentId
$q$),

('GatewaysQueryKey', $q$
SELECT address, proxyport, generation
FROM orleansmembershiptable
WHERE deploymentid = @DeploymentId AND status = @Status AND proxyport > 0
$q$),

-- What is left of silos that are not Active and gave no sign of life since.
('CleanupDefunctSiloEntriesKey', $q$
DELETE FROM orleansmembershiptable
WHERE deploymentid = @DeploymentId AND status <> 3 AND iamalivetime < @IAmAliveTime
$q$),

('DeleteMembershipTableEntriesKey', $q$
DELETE FROM orleansmembershipversiontable WHERE deploymentid = @DeploymentId
$q$);
