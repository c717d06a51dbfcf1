using System.Text.Json.Serialization;

namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>How the simulated SI behaves; <c>PUT /sandbox/reglages</c> replaces the whole, what is left out goes back to its default.</summary>
public sealed record Reglages
{
    /// <summary>Time that each SI call takes, in milliseconds; none by default.</summary>
    public Latency Latency { get; init; } = new();

    public Concurrency Concurrency { get; init; } = new();

    /// <summary>Until then every SI call is answered 503 with a <c>Retry-After</c> of the seconds that remain; null: open.</summary>
    public DateTimeOffset? ClosedUntil { get; init; }

    /// <summary>Whether the composition carries <c>presences</c>.</summary>
    public bool Presences { get; init; } = true;

    /// <summary>Seed of latencies and of the faults' probabilities.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Tried in order on each call; the first that strikes is played.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>What is wrong with these settings, in French; null when nothing is.</summary>
    internal string? Problem() =>
        Latency is null || Concurrency is null || Faults is null || Faults.Any(fault => fault is null)
            ? "latency, concurrency et faults ne sont jamais null."
        : Latency.MedianMs < 0 || Latency.P99Ms < 0 || (Latency.MedianMs == 0 && Latency.P99Ms > 0) || (Latency.P99Ms > 0 && Latency.P99Ms < Latency.MedianMs)
            ? "latency : median_ms et p99_ms sont positifs, p99_ms au moins égal à median_ms."
        : Concurrency.Limit < 1 ? "concurrency.limit vaut au moins 1."
        : Faults.Any(fault => fault.Probability is < 0 or > 1) ? "faults.probability va de 0 à 1."
        : Faults.Any(fault => fault.Next < 0 || fault.DripMs < 0 || fault.RetryAfterSeconds < 0) ? "faults : next, drip_ms et retry_after_seconds sont positifs."
        : null;
}

/// <summary>A log-normal latency.</summary>
/// <param name="MedianMs">Half the calls take less; 0: no latency.</param>
/// <param name="P99Ms">One call in a hundred takes more; 0: always the median.</param>
public sealed record Latency(double MedianMs = 0, double P99Ms = 0)
{
    private const double NormalQuantile99 = 2.3263478740408408;

    internal TimeSpan Sample(Draw draw)
    {
        if (MedianMs <= 0)
            return TimeSpan.Zero;

        var sigma = P99Ms > MedianMs ? Math.Log(P99Ms / MedianMs) / NormalQuantile99 : 0;
        var normal = Math.Sqrt(-2 * Math.Log(1 - draw.Unit())) * Math.Cos(2 * Math.PI * draw.Unit());
        return TimeSpan.FromMilliseconds(Math.Min(MedianMs * Math.Exp(sigma * normal), 600_000));
    }
}

/// <summary>How many calls the SI works on at once.</summary>
/// <param name="Limit">Null: any number.</param>
/// <param name="Refuse">Beyond the limit: 429 with Retry-After when true, else wait one's turn.</param>
/// <param name="Persist">A call whose caller has gone is worked on to its end, as by an SI that does not notice.</param>
public sealed record Concurrency(int? Limit = null, bool Refuse = false, bool Persist = false);

/// <summary>What goes wrong.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FaultKind>))]
public enum FaultKind
{
    [JsonStringEnumMemberName("500")] Status500,
    [JsonStringEnumMemberName("429")] Status429,
    [JsonStringEnumMemberName("503")] Status503,
    /// <summary>No answer ever.</summary>
    [JsonStringEnumMemberName("hang")] Hang,
    /// <summary>The connection is cut before any answer.</summary>
    [JsonStringEnumMemberName("reset")] Reset,
    /// <summary>The right answer, one byte at a time.</summary>
    [JsonStringEnumMemberName("slow_drip")] SlowDrip,
    /// <summary>Half of the announced body, then the end of the connection.</summary>
    [JsonStringEnumMemberName("truncated")] Truncated,
    /// <summary>200, and a body that is not JSON.</summary>
    [JsonStringEnumMemberName("garbage")] Garbage,
    /// <summary>The answer names another family.</summary>
    [JsonStringEnumMemberName("wrong_famille")] WrongFamille,
    /// <summary>Another beneficiary's NIR in an answer about rights; elsewhere one that breaks the numbering.</summary>
    [JsonStringEnumMemberName("wrong_nir")] WrongNir,
    /// <summary>A version far below the present one.</summary>
    [JsonStringEnumMemberName("older_version")] OlderVersion,
    /// <summary>50 MB of valid JSON.</summary>
    [JsonStringEnumMemberName("huge_body")] HugeBody,
}

/// <summary>The calls of the SI.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SiCall>))]
public enum SiCall
{
    /// <summary>As a target: identifications, familles and droits.</summary>
    [JsonStringEnumMemberName("all")] All,
    [JsonStringEnumMemberName("identifications")] Identifications,
    [JsonStringEnumMemberName("familles")] Familles,
    [JsonStringEnumMemberName("droits")] Droits,
    [JsonStringEnumMemberName("evenements")] Evenements,
}

/// <summary>A fault to play.</summary>
public sealed record Fault
{
    public required FaultKind Kind { get; init; }

    public SiCall Target { get; init; } = SiCall.All;

    /// <summary>From 0 to 1.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>Only the next so many times it strikes; null: until the settings change.</summary>
    public int? Next { get; init; }

    /// <summary>Goes with 429 and 503; null: no such header.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Milliseconds between two bytes of a slow drip.</summary>
    public int DripMs { get; init; } = 200;
}
