namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>What the SI was asked since the start or the last reset.</summary>
/// <param name="Identifications">Calls.</param>
/// <param name="Familles">Calls.</param>
/// <param name="Droits">Calls.</param>
/// <param name="Evenements">Calls.</param>
/// <param name="ConcurrenceMax">The most calls that were in flight at once, waiting ones included, the feed's not.</param>
public sealed record Compteurs(long Identifications, long Familles, long Droits, long Evenements, int ConcurrenceMax);

/// <summary>The settings in force, and what is counted under them.</summary>
internal sealed class SiBehaviour(Reglages reglages)
{
    private readonly Lock _lock = new();
    private readonly long[] _calls = new long[Enum.GetValues<SiCall>().Length];
    private readonly ConcurrencyGate _gate = new();
    private int[] _struck = new int[reglages.Faults.Count];
    private long _sequence;
    private int _inFlight;
    private int _mostInFlight;

    public Reglages Reglages { get; private set; } = reglages;

    public ConcurrencyGate Gate => _gate;

    public Compteurs Compteurs
    {
        get
        {
            lock (_lock)
                return new Compteurs(Count(SiCall.Identifications), Count(SiCall.Familles), Count(SiCall.Droits), Count(SiCall.Evenements), _mostInFlight);
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
