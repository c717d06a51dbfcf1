using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Grains.Logs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using Xunit;

#pragma warning disable CA1848 // What is logged the short way is filtered too.

namespace DroitsAmeli.Tests.Rules.Logs;

/// <summary>
/// Activations, addresses and messages are written as the runtime's logs showed them when silos were killed, frozen and drained; a reference, and a
/// key alone, were not seen there, and must not show either.
/// </summary>
public sealed class LogFilterTests : IDisposable
{
    private const string Identite = "i-9cegRQpCF4fx79Krd_JZ6X4ZiXsQ26xXtx0besncZgY";
    private static readonly string Famille = FamilleKey.Of("6QE2BRDA");
    private static readonly string Jeton = JetonKey.Of("un jeton");

    private readonly Written written = new();
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 30, 23, 59, 59, TimeSpan.Zero));
    private readonly LogReference references;
    private readonly ServiceProvider services;
    private readonly ILogger logger;

    public LogFilterTests()
    {
        references = new(new byte[32], time);
        services = new ServiceCollection()
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Information).AddProvider(written))
            .AddSingleton<TimeProvider>(time)
            .AddSingleton(references)
            .AddLogFilter()
            .BuildServiceProvider();
        logger = services.GetRequiredService<ILogger<LogFilterTests>>();
    }

    public static TheoryData<string, string> Forms => new()
    {
        {
            $"[Activation: S127.0.0.1:24481:154816665/jeton/{Jeton}@f590c34784d9497c9473193939b07784#GrainType=DroitsAmeli.Grains.FranceConnect.JetonGrain,DroitsAmeli.Grains Placement=RandomPlacement State=Activating]",
            "[Activation: S127.0.0.1:24481:154816665/jeton/{jeton}@f590c34784d9497c9473193939b07784#GrainType=DroitsAmeli.Grains.FranceConnect.JetonGrain,DroitsAmeli.Grains Placement=RandomPlacement State=Activating]"
        },
        {
            $"[GrainAddress GrainId famille/{Famille}, ActivationId: @00000000000000000000000000000000, SiloAddress: S127.0.0.1:21858:154816665]",
            "[GrainAddress GrainId famille/{famille}, ActivationId: @00000000000000000000000000000000, SiloAddress: S127.0.0.1:21858:154816665]"
        },
        {
            $"Request [S127.0.0.1:23783:154816663 jeton/{Jeton}]->[S127.0.0.1:24481:154816665 identite/{Identite}] DroitsAmeli.Grains.Identites.IIdentiteGrain.Identify #47734FDD7AC13C45",
            "Request [S127.0.0.1:23783:154816663 jeton/{jeton}]->[S127.0.0.1:24481:154816665 identite/{identite}] DroitsAmeli.Grains.Identites.IIdentiteGrain.Identify #47734FDD7AC13C45"
        },
        { $"GrainReference:famille/{Famille}:droits.famille", "GrainReference:famille/{famille}:droits.famille" },
        { $"'{Famille}' and {Identite}.", "'{famille}' and {identite}." },
        {
            "[S127.0.0.1:11111:1 sys.client/e67c665b15284f78b96a0023a2952c54]->[S127.0.0.1:11112:2 si-slots/si] si-evenements/si prechauffage/prechauffage convention/chu-angers silo-1 f-",
            "[S127.0.0.1:11111:1 sys.client/e67c665b15284f78b96a0023a2952c54]->[S127.0.0.1:11112:2 si-slots/si] si-evenements/si prechauffage/prechauffage convention/chu-angers silo-1 f-"
        },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Personal_keys_are_replaced_in_every_form_and_nothing_else_is(string text, string expected)
    {
        logger.Log(LogLevel.Warning, default, text, null, (state, _) => state);
        Assert.Equal(
            expected
                .Replace("{famille}", references.Of("6QE2BRDA"), StringComparison.Ordinal)
                .Replace("{jeton}", references.OfKey(Jeton), StringComparison.Ordinal)
                .Replace("{identite}", references.OfKey(Identite), StringComparison.Ordinal),
            written.Lines[0]);
    }

    [Fact]
    public void Values_are_replaced_by_texts_where_they_show_a_key_and_stay_what_they_are_elsewhere()
    {
        var silo = SiloAddress.FromParsableString("127.0.0.1:11111@1");
        logger.LogWarning("{Grain} {Silo} {Count} {Grains}", GrainId.Create("famille", Famille), silo, 3, new[] { GrainId.Create("jeton", Jeton) });

        Assert.Equal($"famille/{references.OfKey(Famille)} {silo} 3 jeton/{references.OfKey(Jeton)}", written.Lines[0]);
        var values = Assert.Single(written.Values);
        Assert.Equal($"famille/{references.OfKey(Famille)}", values["Grain"]);
        Assert.Same(silo, values["Silo"]);
        Assert.Equal(3, values["Count"]);
        Assert.Equal("{Grain} {Silo} {Count} {Grains}", values["{OriginalFormat}"]);
        AssertShowsNoKey();
    }

    [Fact]
    public void Scopes_are_replaced()
    {
        using (logger.BeginScope("in {Grain}", GrainId.Create("identite", Identite)))
        using (logger.BeginScope(new Dictionary<string, object?> { ["key"] = Famille }))
        using (logger.BeginScope(Jeton))
            logger.LogWarning("said");
        Assert.Contains($"in identite/{references.OfKey(Identite)}", written.Lines);
        Assert.Contains("key=" + references.OfKey(Famille), written.Lines);
        Assert.Contains(references.OfKey(Jeton), written.Lines);
        AssertShowsNoKey();
    }

    [Fact]
    public void Exceptions_are_written_without_keys_those_inside_included()
    {
        var inner = new InvalidOperationException($"identite/{Identite} failed") { Data = { [Famille] = Jeton } };
        try
        {
            throw new AggregateException(new OrleansException($"Grain famille/{Famille} is not active", inner), new TimeoutException($"jeton/{Jeton}"));
        }
        catch (AggregateException exception)
        {
            logger.LogError(exception, "It failed: {Why}", exception);
            Assert.Equal(exception.HResult, written.Exception!.HResult);
        }

        Assert.Contains(nameof(OrleansException), written.Exception!.ToString(), StringComparison.Ordinal);
        Assert.Contains(nameof(Exceptions_are_written_without_keys_those_inside_included), written.Exception.ToString(), StringComparison.Ordinal);
        Assert.Contains($"famille/{references.OfKey(Famille)}", written.Exception.ToString(), StringComparison.Ordinal);
        AssertShowsNoKey();
    }

    [Fact]
    public void An_exception_that_shows_no_key_stays_itself()
    {
        var exception = new TimeoutException("late", new IOException("gone"));
        logger.LogError(exception, "It failed");
        Assert.Same(exception, written.Exception);
    }

    [Fact]
    public void What_is_not_logged_is_not_looked_at()
    {
        logger.Log(LogLevel.Debug, default, Famille, null, (_, _) => throw new InvalidOperationException());
        Assert.Empty(written.Lines);
    }

    [Fact]
    public void A_reference_is_another_one_next_month()
    {
        logger.LogWarning("{Key}", Famille);
        time.Advance(TimeSpan.FromSeconds(1));
        logger.LogWarning("{Key}", Famille);
        Assert.Equal(2, written.Values.Select(values => values["Key"]).Distinct().Count());
        AssertShowsNoKey();
    }

    [Fact]
    public void Without_a_secret_that_can_be_read_keys_are_replaced_all_the_same()
    {
        var other = new Written();
        using var without = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(other))
            .AddSingleton<TimeProvider>(time)
            .AddSingleton<LogReference>(_ => throw new IOException("no file"))
            .AddLogFilter()
            .BuildServiceProvider();
        without.GetRequiredService<ILogger<LogFilterTests>>().LogWarning("{Key}", Famille);
        Assert.Matches("^ref:[0-9a-f]{8}$", other.Lines[0]);
    }

    public void Dispose() => services.Dispose();

    private void AssertShowsNoKey()
    {
        foreach (var key in new[] { Famille, Jeton, Identite })
            Assert.DoesNotContain(key, written.All, StringComparison.Ordinal);
    }
}
