namespace DroitsAmeli.Tests.Chaos;

/// <summary>What is done to a running deployment.</summary>
internal enum Disturbance
{
    /// <summary>kill -9 of a silo, which is started again 5 s later.</summary>
    KillSilo,

    /// <summary>SIGTERM to a silo, which is started again when it has gone.</summary>
    DrainSilo,

    /// <summary>SIGSTOP of a silo for 3 s: too short for a verdict, long enough to be missed.</summary>
    FreezeSiloBriefly,

    /// <summary>SIGSTOP of a silo for 10 s: the others must go on without it, and it must not come back as if nothing had been.</summary>
    FreezeSilo,

    /// <summary>SIGSTOP of a silo for 30 s.</summary>
    FreezeSiloLong,

    /// <summary>A silo more, or the one that was more goes.</summary>
    Scale,

    /// <summary>kill -9 of a front end, which is started again 5 s later. A balancer must stand before it.</summary>
    KillFrontEnd,

    /// <summary>SIGTERM to a front end, which is started again when it has gone. A balancer must stand before it.</summary>
    DrainFrontEnd,

    /// <summary>Each silo, then each front end goes (SIGTERM) and comes back in turn, as in an upgrade. A balancer must stand before the front ends.</summary>
    RollingUpgrade,

    /// <summary>The database is stopped, and started 3 s later.</summary>
    RestartDatabase,

    /// <summary>The database does not answer for 5 s.</summary>
    FreezeDatabase,

    /// <summary>The SI answers half of all calls with 500, and slowly, for 10 s.</summary>
    FailingSi,

    /// <summary>The SI answers nothing for 10 s.</summary>
    DeadSi,

    /// <summary>FranceConnect fails on the next three calls.</summary>
    StutteringFranceConnect,

    /// <summary>FranceConnect answers in a second, for 10 s.</summary>
    SlowFranceConnect,

    /// <summary>Other programs take all of the processors for 10 s.</summary>
    BusyProcessors,
}
