using DroitsAmeli.Load.Processes;

namespace DroitsAmeli.Load.Reads;

/// <summary>Live tokens of one partner, one for each family, minted ahead of their use and renewed before they die. For one thread.</summary>
public sealed class TokenPurse(SimulatedFranceConnect franceConnect, Partner partner, TimeSpan lifetime)
{
    // A call may take 8 s: one whose token dies meanwhile says nothing about the service.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);

    private readonly Dictionary<long, (string Token, DateTimeOffset DiesAt)> tokens = [];

    /// <summary>Makes sure that these families have tokens that live until then, and a little longer.</summary>
    public async Task Provide(IEnumerable<long> familles, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var missing = familles.Distinct().Where(famille => !tokens.TryGetValue(famille, out var held) || held.DiesAt < until + Margin).ToList();
        if (missing.Count == 0)
            return;

        var diesAt = TimeProvider.System.GetUtcNow() + lifetime;
        var minted = await franceConnect.Mint(missing, partner, lifetime, cancellationToken);
        for (var index = 0; index < missing.Count; index++)
            tokens[missing[index]] = (minted[index], diesAt);
    }

    /// <summary>The token of a family that was provided for.</summary>
    public string Of(long famille) => tokens[famille].Token;
}
