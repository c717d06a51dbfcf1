-- The operator's orders that every silo must follow, also one that starts later.
CREATE TABLE ordres
(
    service_id varchar(150) NOT NULL,
    id uuid NOT NULL,
    kind smallint NOT NULL,
    instant timestamptz NULL,
    from_instant timestamptz NULL,
    spread_seconds double precision NULL,
    famille_key text NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service_id, id)
);
