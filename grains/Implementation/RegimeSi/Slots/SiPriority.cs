namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>In which order calls to the SI are served when slots are scarce.</summary>
public enum SiPriority
{
    /// <summary>Somebody waits for the answer.</summary>
    Present,

    /// <summary>A visit that has begun will need it within seconds.</summary>
    Ahead,

    /// <summary>The SI announced a change.</summary>
    Evenement,

    /// <summary>A copy is refreshed behind its readers.</summary>
    Refresh,

    WarmUp,
}
