-- How far the SI's change feed has been followed. The epoch rises with each taking over: who holds an older one writes no more.
CREATE TABLE evenements_curseur
(
    service_id varchar(150) PRIMARY KEY,
    curseur text NULL,
    epoch bigint NOT NULL,
    modifie_le timestamptz NULL
);
