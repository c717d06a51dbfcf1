using Microsoft.Extensions.DependencyInjection;
using Orleans.Concurrency;
using Orleans.Serialization;
using Orleans.Serialization.Configuration;
using Orleans.Serialization.Invocation;
using Xunit;

namespace DroitsAmeli.Tests.Rules.WireContract;

/// <summary>
/// That ids and parameters are only ever added is enough: each of two versions of a message, under the same alias, is read by a process that
/// knows the other one alone.
/// </summary>
public sealed class TwoVersionsTests
{
    private const string MessageAlias = "tests.wire.message";
    private const string GrainAlias = "tests.wire.asked";
    private static readonly Guid Tag = new("7d0c3a3e-8a5f-4f8e-9a53-0d8f4f4e2b11");

    private readonly Serializer previous = Knowing(typeof(PreviousMessage), typeof(IPreviousGrain));
    private readonly Serializer present = Knowing(typeof(PresentMessage), typeof(IPresentGrain));

    [Fact]
    public void What_is_added_is_passed_over_by_the_previous_version()
    {
        var sent = new PresentMessage { Name = "a", Until = TimeSpan.FromSeconds(3), Tag = Tag, Part = new() { Names = ["x", "y"], Values = new() { ["k"] = PresentValue.New } }, Last = 7 };
        var read = Assert.IsType<PreviousMessage>(previous.Deserialize<object>(present.SerializeToArray<object>(sent)));
        Assert.Equal(new PreviousMessage { Name = "a", Until = TimeSpan.FromSeconds(3), Last = 7 }, read);
    }

    [Fact]
    public void What_the_previous_version_does_not_send_is_left_as_it_is_by_default()
    {
        var read = Assert.IsType<PresentMessage>(present.Deserialize<object>(previous.SerializeToArray<object>(new PreviousMessage { Name = "a", Until = null, Last = 7 })));
        Assert.Equal(new PresentMessage { Name = "a", Until = null, Tag = Guid.Empty, Part = null, Last = 7 }, read);
    }

    [Fact]
    public void What_follows_in_the_same_answer_is_read_whatever_was_passed_over()
    {
        var part = new AddedPart { Names = ["x"], Values = [] };
        object[] sent = [new PresentMessage { Name = "a", Part = part, Last = 1 }, new PresentMessage { Name = "b", Part = part, Last = 2 }, "end"];
        var read = previous.Deserialize<object[]>(present.SerializeToArray(sent));
        object[] expected = [new PreviousMessage { Name = "a", Last = 1 }, new PreviousMessage { Name = "b", Last = 2 }, "end"];
        Assert.Equal(expected, read);
    }

    [Fact]
    public void A_parameter_that_is_added_at_the_end_is_passed_over_by_the_previous_version()
    {
        var read = Call(previous, present.SerializeToArray(Call<IPresentGrain>("token", null, "convention")));
        Assert.Equal(typeof(IPreviousGrain), read.GetInterfaceType());
        Assert.Equal(["token", null], Arguments(read, 2));
    }

    [Fact]
    public void A_parameter_that_the_previous_version_does_not_send_has_no_value()
    {
        var read = Call(present, previous.SerializeToArray(Call<IPreviousGrain>("token", "rejected")));
        Assert.Equal(typeof(IPresentGrain), read.GetInterfaceType());
        Assert.Equal(["token", "rejected", null], Arguments(read, 3));
    }

    [Fact]
    public void Another_type_under_the_same_id_is_not_read()
    {
        var changed = Knowing(typeof(ChangedMessage), typeof(IPresentGrain));
        Assert.ThrowsAny<Exception>(() => changed.Deserialize<object>(present.SerializeToArray<object>(new PresentMessage { Name = "a", Last = 1 })));
    }

    [Fact]
    public void Another_alias_is_not_read()
    {
        var renamed = Knowing(typeof(PreviousMessage), typeof(IPreviousGrain), messageAlias: "tests.wire.renamed");
        Assert.ThrowsAny<Exception>(() => renamed.Deserialize<object>(present.SerializeToArray<object>(new PresentMessage { Name = "a", Last = 1 })));
    }

    // Each version knows one shape and one interface under the aliases that both use, and nothing of what the other added.
    private static Serializer Knowing(Type message, Type grain, string messageAlias = MessageAlias) => new ServiceCollection()
        .AddSerializer()
        .PostConfigure<TypeManifestOptions>(options =>
        {
            foreach (var alias in options.WellKnownTypeAliases.Keys.Where(alias => alias.StartsWith("tests.wire.two.", StringComparison.Ordinal)).ToList())
                options.WellKnownTypeAliases.Remove(alias);
            options.WellKnownTypeAliases[messageAlias] = message;
            options.WellKnownTypeAliases[GrainAlias] = grain;
        })
        .BuildServiceProvider().GetRequiredService<Serializer>();

    private static IInvokable Call<TGrain>(params object?[] arguments)
    {
        var type = typeof(TwoVersionsTests).Assembly.GetTypes().Single(type =>
            type is { IsAbstract: false } && type.IsAssignableTo(typeof(IInvokable)) && ((IInvokable)Activator.CreateInstance(type)!).GetInterfaceType() == typeof(TGrain));
        var call = (IInvokable)Activator.CreateInstance(type)!;
        for (var index = 0; index < arguments.Length; index++)
            call.SetArgument(index, arguments[index]!);
        return call;
    }

    private static IInvokable Call(Serializer reader, byte[] bytes) => reader.Deserialize<IInvokable>(bytes)!;

    private static IEnumerable<object?> Arguments(IInvokable call, int count) => Enumerable.Range(0, count).Select(call.GetArgument);

    [GenerateSerializer, Immutable, Alias("tests.wire.two.previous")]
    internal sealed record PreviousMessage
    {
        [Id(0)] public required string Name { get; init; }

        [Id(1)] public TimeSpan? Until { get; init; }

        [Id(4)] public int Last { get; init; }
    }

    [GenerateSerializer, Immutable, Alias("tests.wire.two.present")]
    internal sealed record PresentMessage
    {
        [Id(0)] public required string Name { get; init; }

        [Id(1)] public TimeSpan? Until { get; init; }

        [Id(2)] public Guid Tag { get; init; }

        [Id(3)] public AddedPart? Part { get; init; }

        [Id(4)] public int Last { get; init; }
    }

    [GenerateSerializer, Immutable, Alias("tests.wire.two.changed")]
    internal sealed record ChangedMessage
    {
        [Id(0)] public TimeSpan Name { get; init; }
    }

    [GenerateSerializer, Immutable, Alias("tests.wire.two.part")]
    internal sealed record AddedPart
    {
        [Id(0)] public required string[] Names { get; init; }

        [Id(1)] public required Dictionary<string, PresentValue> Values { get; init; }
    }

    [Alias("tests.wire.two.value")]
    internal enum PresentValue
    {
        None = 0,
        New = 1,
    }

    [Alias("tests.wire.two.previous-grain")]
    internal interface IPreviousGrain : IGrainWithStringKey
    {
        [Alias("identify")]
        Task Identify(string token, string? rejected, CancellationToken cancellationToken = default);
    }

    [Alias("tests.wire.two.present-grain")]
    internal interface IPresentGrain : IGrainWithStringKey
    {
        [Alias("identify")]
        Task Identify(string token, string? rejected, string? convention = null, CancellationToken cancellationToken = default);
    }
}
