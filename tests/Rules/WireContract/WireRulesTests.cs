using Orleans.Concurrency;
using Xunit;

namespace DroitsAmeli.Tests.Rules.WireContract;

/// <summary>The rules can be broken: each of them finds its own.</summary>
public sealed class WireRulesTests
{
    [Fact]
    public void A_message_that_keeps_all_rules_breaks_none() => Assert.Empty(WireRules.Violations([typeof(Good), typeof(GoodPart), typeof(IGoodGrain)]));

    [Theory]
    [InlineData(typeof(Unnamed), "Unnamed has no [Alias]")]
    [InlineData(typeof(Open), "Open is not sealed")]
    [InlineData(typeof(Mutable), "Mutable is not [Immutable]")]
    [InlineData(typeof(NoRecord), "NoRecord is no record")]
    [InlineData(typeof(Forgetful), "Forgetful.Lost has no [Id]")]
    [InlineData(typeof(WithAPart), "Unserialised crosses the wire without [GenerateSerializer]")]
    [InlineData(typeof(WithAValue), "Value has no [Alias]")]
    [InlineData(typeof(IUnnamedGrain), "IUnnamedGrain has no [Alias]")]
    [InlineData(typeof(IUnnamedMethodGrain), "IUnnamedMethodGrain.Ask has no [Alias]")]
    [InlineData(typeof(IWithAnArgumentGrain), "Open is not sealed")]
    [InlineData(typeof(UnnamedGrain), "UnnamedGrain has no [GrainType]")]
    public void What_breaks_a_rule_is_named(Type type, string expected) =>
        Assert.Contains(WireRules.Violations([type]), line => line.StartsWith(expected, StringComparison.Ordinal));

    [GenerateSerializer, Immutable, Alias("tests.wire.good")]
    internal sealed record Good([property: Id(0)] string Name, [property: Id(1)] GoodPart[] Parts)
    {
        public int Count => Parts.Length;
    }

    [GenerateSerializer, Immutable, Alias("tests.wire.good-part")]
    internal readonly record struct GoodPart([property: Id(0)] int Number);

    [GenerateSerializer, Immutable]
    internal sealed record Unnamed;

#pragma warning disable CA1852 // Not being sealed is its fault.
    [GenerateSerializer, Immutable, Alias("tests.wire.open")]
    internal record Open;
#pragma warning restore CA1852

    [GenerateSerializer, Alias("tests.wire.mutable")]
    internal sealed record Mutable;

    [GenerateSerializer, Immutable, Alias("tests.wire.no-record")]
    internal sealed class NoRecord;

#pragma warning disable ORLEANS0004 // The compiler says so too, unless it is told to be silent.
    [GenerateSerializer, Immutable, Alias("tests.wire.forgetful")]
    internal sealed record Forgetful
    {
        [Id(0)] public int Kept { get; init; }

        public int Lost { get; init; }
    }
#pragma warning restore ORLEANS0004

    [GenerateSerializer, Immutable, Alias("tests.wire.with-a-part")]
    internal sealed record WithAPart([property: Id(0)] IReadOnlyList<Unserialised> Parts);

    internal sealed record Unserialised;

    [GenerateSerializer, Immutable, Alias("tests.wire.with-a-value")]
    internal sealed record WithAValue([property: Id(0)] Value? Value);

    internal enum Value
    {
        None = 0,
    }

    [Alias("tests.wire.good-grain")]
    internal interface IGoodGrain : IGrainWithStringKey
    {
        [Alias("ask")]
        Task<Good> Ask(GoodPart part, CancellationToken cancellationToken);
    }

    internal interface IUnnamedGrain : IGrainWithStringKey;

    [Alias("tests.wire.unnamed-method")]
    internal interface IUnnamedMethodGrain : IGrainWithStringKey
    {
        Task Ask();
    }

    [Alias("tests.wire.with-an-argument")]
    internal interface IWithAnArgumentGrain : IGrainWithStringKey
    {
        [Alias("ask")]
        Task Ask(Dictionary<string, Open> open);
    }

    internal sealed class UnnamedGrain : Grain, IGoodGrain
    {
        public Task<Good> Ask(GoodPart part, CancellationToken cancellationToken) => Task.FromResult(new Good("", []));
    }
}
