namespace DroitsAmeli.Grains.Conventions;

/// <summary>
/// A partner's quota, counted once for all front ends. Calls are handed out in small leases, so that counting costs no hop per request;
/// what is handed out never exceeds the quota of a window while the grain lives. Key: <see cref="ConventionKey"/>.
/// </summary>
/// <remarks>
/// The counters are in memory only. They move with the grain when its silo stops in good order. When they are lost with their silo, the
/// new activation learns what each front end has taken at that front end's next request: until all have asked, a window may let through
/// more than its quota, by what the front ends that have not asked yet had taken, so less than one more quota per loss.
/// </remarks>
[Alias("droits.convention")]
public interface IConventionGrain : IGrainWithStringKey
{
    /// <summary>Hands out calls of the windows that the request names. The limits travel with it, so a changed quota holds at once.</summary>
    [Alias("lease")]
    Task<QuotaLease> Lease(QuotaLeaseRequest request, CancellationToken cancellationToken = default);
}

/// <summary>What a front end has taken of a convention's quota, and what more it needs.</summary>
[GenerateSerializer, Immutable, Alias("droits.quota-request")]
public sealed record QuotaLeaseRequest
{
    /// <summary>The front end; another one after each start.</summary>
    [Id(0)] public required Guid FrontEnd { get; init; }

    /// <summary>Grows with each request of a front end; a request that was overtaken gets nothing.</summary>
    [Id(1)] public required long Sequence { get; init; }

    /// <summary>Null: no limit per minute.</summary>
    [Id(2)] public QuotaClaim? Minute { get; init; }

    /// <summary>Null: no limit per day.</summary>
    [Id(3)] public QuotaClaim? Day { get; init; }
}

/// <summary>A front end's account of one window. It is the authority on it: a lease whose reply was lost is so given back.</summary>
[GenerateSerializer, Immutable, Alias("droits.quota-claim")]
public sealed record QuotaClaim
{
    /// <summary>Calls that all front ends together may let through in a window; at least 1.</summary>
    [Id(0)] public required int Limit { get; init; }

    /// <summary>The window that <see cref="Taken"/> is about, <see cref="QuotaWindow.Id"/>.</summary>
    [Id(1)] public required long Window { get; init; }

    /// <summary>Calls let through in that window, with or without a lease, and calls still held for it.</summary>
    [Id(2)] public required int Taken { get; init; }

    /// <summary>Calls that wait; 0: the front end holds enough.</summary>
    [Id(3)] public required int Wanted { get; init; }
}

/// <summary>What was handed out; a part is null where the request had none.</summary>
[GenerateSerializer, Immutable, Alias("droits.quota-lease")]
public sealed record QuotaLease
{
    [Id(0)] public QuotaGrant? Minute { get; init; }

    [Id(1)] public QuotaGrant? Day { get; init; }
}

/// <summary>What was handed out of one window.</summary>
[GenerateSerializer, Immutable, Alias("droits.quota-grant")]
public sealed record QuotaGrant
{
    /// <summary>The present window, <see cref="QuotaWindow.Id"/>.</summary>
    [Id(0)] public required long Window { get; init; }

    /// <summary>From the grain's instant to the end of the window: the front ends' clocks do not matter.</summary>
    [Id(1)] public required TimeSpan EndsIn { get; init; }

    /// <summary>Calls handed out now.</summary>
    [Id(2)] public required int Granted { get; init; }

    /// <summary>Calls that nobody has taken yet.</summary>
    [Id(3)] public required int Left { get; init; }
}

/// <summary>The key of a convention's grain: <c>c-</c> and the convention's id.</summary>
public static class ConventionKey
{
    private const string Prefix = "c-";

    /// <summary>The grain key of that convention.</summary>
    public static string Of(string convention) => Prefix + convention;
}
