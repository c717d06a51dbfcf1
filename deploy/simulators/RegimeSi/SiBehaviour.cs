namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>What the SI was asked since the start or the last reset.</summary>
/// <param name="Identifications">Calls.</param>
/// <param name="Familles">Calls.</param>
/// <param name="Droits">Calls.</param>
/// <param name="Entieres">Compositions and rights given to callers that named no version which they hold.</param>
/// <param name="Evenements">Calls.</param>
/// <param name="ConcurrenceMax">The most calls that were in flight at once, waiting ones included, the feed's not.</param>
/// <param name="OccupationMs">Milliseconds that calls have been worked on, all together, those under way included.</param>
/// <param name="Abandons">Calls whose caller went away while they were worked on.</param>
/// <param name="AbandonsMs">The part of the occupation that went to these.</param>
/// <param name="ReponsesFausses">
/// Answers 200 that were not the right one, by fault. An older version counts only where the caller said which one it holds: a first reader
/// cannot tell.
/// </param>
public sealed record Compteurs(
    long Identifications,
    long Familles,
    long Droits,
    long Entieres,
    long Evenements,
    int ConcurrenceMax,
    long OccupationMs,
    long Abandons,
    long AbandonsMs,
    IReadOnlyDictionary<FaultKind, long> ReponsesFausses);

/// <summary>The settings in force, and what is counted under them.</summary>
internal sealed class SiBehaviour(Reglages reglages, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long[] _calls = new long[Enum.GetValues<SiCall>().Length];
    private readonly ConcurrencyGate _gate = new();
    private int[] _struck = new int[reglages.Faults.Count];
    private long _sequence;
    private int _inFlight;
    private int _mostInFlight;
    private readonly Dictionary<FaultKind, long> _wrong = [];
    private TimeSpan _occupied;
    private TimeSpan _occupiedInVain;
    private long _occupiedUntil;
    private int _occupants;
    private long _abandoned;
    private long _whole;

    public Reglages Reglages { get; private set; } = reglages;

    public ConcurrencyGate Gate => _gate;

    public Compteurs Compteurs
    {
        get
        {
            lock (_lock)
            {
                Occupied();
                return new Compteurs(
                    Count(SiCall.Identifications),
                    Count(SiCall.Familles),
                    Count(SiCall.Droits),
                    _whole,
                    Count(SiCall.Evenements),
                    _mostInFlight,
                    (long)_occupied.TotalMilliseconds,
                    _abandoned,
                    (long)_occupiedInVain.TotalMilliseconds,
                    new Dictionary<FaultKind, long>(_wrong));
            }
        }
    }

    public void Replace(Reglages reglages)
    {
        lock (_lock)
        {
            Reglages = reglages;
            _struck = new int[reglages.Faults.Count];
            _sequence = 0;
        }

        _gate.Admit(reglages.Concurrency);
    }

    public void ResetCompteurs()
    {
        lock (_lock)
        {
            Array.Clear(_calls);
            _mostInFlight = _inFlight;
            _wrong.Clear();
            Occupied();
            (_occupied, _occupiedInVain, _abandoned, _whole) = (TimeSpan.Zero, TimeSpan.Zero, 0, 0);
        }
    }

    /// <summary>Counts a call that begins, and draws how it will go.</summary>
    public (Fault? Fault, TimeSpan Latency) Begin(SiCall call)
    {
        lock (_lock)
        {
            _calls[(int)call]++;
            if (call == SiCall.Evenements)
                return (Strike(call), TimeSpan.Zero);

            _inFlight++;
            _mostInFlight = Math.Max(_mostInFlight, _inFlight);
            var fault = Strike(call);
            return (fault, Reglages.Latency.Sample(new Draw(Reglages.Seed, _sequence, 1)));
        }
    }

    public void End(SiCall call)
    {
        lock (_lock)
            if (call != SiCall.Evenements)
                _inFlight--;
    }

    /// <summary>A call is worked on from now; what is returned is for <see cref="Leave"/>.</summary>
    public long Occupy()
    {
        lock (_lock)
        {
            Occupied();
            _occupants++;
            return _occupiedUntil;
        }
    }

    /// <summary>It is no longer worked on.</summary>
    /// <param name="since">What <see cref="Occupy"/> returned.</param>
    /// <param name="inVain">Its caller has gone.</param>
    public void Leave(long since, bool inVain)
    {
        lock (_lock)
        {
            Occupied();
            _occupants--;
            if (!inVain)
                return;
            _abandoned++;
            _occupiedInVain += time.GetElapsedTime(since, _occupiedUntil);
        }
    }

    /// <summary>A composition or rights were given to a caller that named no version.</summary>
    public void AnsweredWhole()
    {
        lock (_lock)
            _whole++;
    }

    /// <summary>An answer 200 was given that is not the right one.</summary>
    public void AnsweredWrong(FaultKind kind)
    {
        lock (_lock)
            _wrong[kind] = _wrong.GetValueOrDefault(kind) + 1;
    }

    private void Occupied()
    {
        var now = time.GetTimestamp();
        _occupied += time.GetElapsedTime(_occupiedUntil, now) * _occupants;
        _occupiedUntil = now;
    }

    private Fault? Strike(SiCall call)
    {
        _sequence++;
        for (var at = 0; at < Reglages.Faults.Count; at++)
        {
            var fault = Reglages.Faults[at];
            var aimed = fault.Target == call || (fault.Target == SiCall.All && call != SiCall.Evenements);
            if (!aimed || _struck[at] >= (fault.Next ?? int.MaxValue) || new Draw(Reglages.Seed, _sequence, 2, at).Unit() >= fault.Probability)
                continue;

            _struck[at]++;
            return fault;
        }

        return null;
    }

    private long Count(SiCall call) => _calls[(int)call];
}
