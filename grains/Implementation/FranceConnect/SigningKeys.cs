using System.Collections.Frozen;
using System.Security.Cryptography;
using Jose;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>One of FranceConnect's public signing keys, fit for the pinned algorithm.</summary>
public sealed class SigningKey
{
    private readonly ECParameters? p256;
    private readonly RSAParameters? rsa;

    private SigningKey(ECParameters? p256, RSAParameters? rsa)
    {
        this.p256 = p256;
        this.rsa = rsa;
    }

    /// <summary>The key, or null when its type, curve, use, algorithm or size does not fit.</summary>
    public static SigningKey? Fitting(JsonWebKey key, string alg)
    {
        if (!key.Serves(alg, "sig"))
            return null;
        if (alg == FranceConnectAlgorithms.Es256)
            return key.P256(withPrivate: false) is { } ec ? new SigningKey(ec, null) : null;
        return key.Rsa(withPrivate: false) is { } pair ? new SigningKey(null, pair) : null;
    }

    /// <summary>The payload of a JWS whose header has been pinned; null when this key did not sign it.</summary>
    public byte[]? Verify(string jws)
    {
        try
        {
            if (p256 is { } ec)
            {
                using var key = ECDsa.Create(ec);
                return JWT.DecodeBytes(jws, key, JwsAlgorithm.ES256);
            }

            using var pair = RSA.Create(rsa!.Value);
            return JWT.DecodeBytes(jws, pair, JwsAlgorithm.RS256);
        }
        catch (Exception)
        {
            // Whatever a hostile text makes the library throw, it means the same: not signed by this key.
            return null;
        }
    }
}

/// <summary>
/// FranceConnect's signing keys by <c>kid</c>: refetched every 10 min and on an unknown <c>kid</c>, one fetch at a time, kept at most 1 h
/// while FranceConnect is unreachable. A key that is no longer listed is refused.
/// </summary>
public sealed partial class SigningKeys(
    HttpClient http, IOptions<FranceConnectOptions> options, TimeProvider time, ILogger<SigningKeys> logger)
{
    internal static readonly TimeSpan RefetchAfter = TimeSpan.FromMinutes(10);
    internal static readonly TimeSpan KeptAtMost = TimeSpan.FromHours(1);
    internal static readonly TimeSpan UnknownKidCoolDown = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PauseAfterFailureWithoutKeys = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WaitWhenKeysAreHeld = TimeSpan.FromSeconds(1);

    private readonly FranceConnectOptions settings = options.Value;
    private readonly Lock gate = new();
    private Held? held;
    private Task? fetching;
    private DateTimeOffset? failedAt;
    private DateTimeOffset? askedForUnknownAt;

    private sealed record Held(FrozenDictionary<string, SigningKey> Keys, DateTimeOffset At);

    /// <summary>The key of that <c>kid</c>; null when FranceConnect does not list it, or no list is to be had.</summary>
    public async ValueTask<SigningKey?> Find(string kid, CancellationToken cancellationToken)
    {
        var refetched = await RefetchWhenDue(cancellationToken);
        var key = Lookup(kid);
        if (key is not null || refetched || FetchForUnknown() is not { } fetch)
            return key;
        await fetch.WaitAsync(cancellationToken);
        return Lookup(kid);
    }

    private async ValueTask<bool> RefetchWhenDue(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        Task fetch;
        bool usable;
        lock (gate)
        {
            if (held is not null && now - held.At < RefetchAfter)
                return false;
            usable = held is not null && now - held.At <= KeptAtMost;
            if (failedAt is { } failure && now - failure < (usable ? PauseAfterFailure : PauseAfterFailureWithoutKeys))
                return false;
            fetch = Start();
        }

        try
        {
            await (usable ? fetch.WaitAsync(WaitWhenKeysAreHeld, time, cancellationToken) : fetch.WaitAsync(cancellationToken));
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private Task? FetchForUnknown()
    {
        var now = time.GetUtcNow();
        lock (gate)
        {
            if (fetching is { IsCompleted: false })
                return fetching;
            if (askedForUnknownAt is { } last && now - last < UnknownKidCoolDown)
                return null;
            askedForUnknownAt = now;
            return Start();
        }
    }

    // Off the calling grain's scheduler: the fetch belongs to everybody who waits for it.
    private Task Start() => fetching is { IsCompleted: false } running ? running : fetching = Task.Run(Fetch);

    private SigningKey? Lookup(string kid)
    {
        lock (gate)
            return held is not null && time.GetUtcNow() - held.At <= KeptAtMost ? held.Keys.GetValueOrDefault(kid) : null;
    }

    private async Task Fetch()
    {
        try
        {
            using var timeout = new CancellationTokenSource(settings.Timeout, time);
            using var response = await http.GetAsync(settings.Jwks, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            if (!response.IsSuccessStatusCode)
            {
                Fail($"status {(int)response.StatusCode}");
                return;
            }

            var body = await BoundedBody.Read(response.Content, timeout.Token);
            if (body is null)
            {
                Fail("too large");
                return;
            }

            Keep(JsonWebKeySet.Parse(body));
        }
        catch (FormatException refusal)
        {
            Fail(refusal.Message);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException)
        {
            Fail(failure.GetType().Name);
        }
    }

    private void Keep(JsonWebKeySet set)
    {
        var keys = set.Keys.Where(k => k.Kid is { Length: > 0 })
            .Select(k => (k.Kid, Key: SigningKey.Fitting(k, settings.SignedResponseAlg)))
            .Where(k => k.Key is not null)
            .GroupBy(k => k.Kid!, StringComparer.Ordinal)
            .Where(g => g.Count() == 1)
            .ToFrozenDictionary(g => g.Key, g => g.Single().Key!, StringComparer.Ordinal);
        lock (gate)
        {
            held = new Held(keys, time.GetUtcNow());
            failedAt = null;
        }

        if (keys.Count == 0)
            LogNoneFits(logger, settings.SignedResponseAlg);
    }

    private void Fail(string reason)
    {
        lock (gate)
            failedAt = time.GetUtcNow();
        LogFetchFailed(logger, reason);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "FranceConnect's signing keys could not be fetched: {Reason}. Those held serve for an hour at most: see that FranceConnect:JwksEndpoint, or /jwks below FranceConnect:Issuer, answers from this silo.")]
    private static partial void LogFetchFailed(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "None of FranceConnect's signing keys fits FranceConnect:SignedResponseAlg {Alg}: no token can be checked. See that it is the algorithm that FranceConnect signs with for this service.")]
    private static partial void LogNoneFits(ILogger logger, string alg);
}
