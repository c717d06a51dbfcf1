using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace DroitsAmeli.Simulators.FranceConnect;

/// <summary>One access token that the simulator issued.</summary>
internal sealed record JetonSimule(
    string Persona, string ServiceProvider, string Scope, string Acr, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt);

/// <summary>The live access tokens; what has expired is swept while new ones are issued, so that memory follows the rate, not the age.</summary>
internal sealed class Jetons(TimeProvider time, int maximum)
{
    private const int TokenBytes = 32;
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, JetonSimule> live = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private DateTimeOffset sweptAt;
    private int held;

    /// <summary>How many tokens are held.</summary>
    public int Count => Volatile.Read(ref held);

    /// <summary>Issues a token; null when too many are live.</summary>
    public string? Issue(Func<DateTimeOffset, JetonSimule> make)
    {
        var now = time.GetUtcNow();
        Sweep(now);
        if (Interlocked.Increment(ref held) > maximum)
        {
            Interlocked.Decrement(ref held);
            return null;
        }

        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        live[token] = make(now);
        return token;
    }

    /// <summary>The token, when it is live.</summary>
    public JetonSimule? Find(string token) => live.TryGetValue(token, out var jeton) && jeton.ExpiresAt > time.GetUtcNow() ? jeton : null;

    /// <summary>Ends a token; false when it was not there.</summary>
    public bool Revoke(string token)
    {
        if (!live.TryRemove(token, out _))
            return false;
        Interlocked.Decrement(ref held);
        return true;
    }

    private void Sweep(DateTimeOffset now)
    {
        lock (gate)
        {
            if (now - sweptAt < SweepPeriod)
                return;
            sweptAt = now;
        }

        foreach (var (token, jeton) in live)
        {
            if (jeton.ExpiresAt <= now)
                Revoke(token);
        }
    }
}
