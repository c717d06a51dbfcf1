using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Storage;

public sealed class StorageCircuitTests
{
    private readonly FakeTimeProvider time = new();
    private readonly StorageCircuit circuit;

    public StorageCircuitTests() => circuit = new(time);

    [Fact]
    public void Opens_after_so_many_failures_in_a_row_and_not_before()
    {
        Fail(StorageCircuit.FailuresToOpen - 1);
        Assert.True(circuit.TryEnter());
        Assert.False(circuit.Succeeded());

        Fail(StorageCircuit.FailuresToOpen - 1);
        Assert.True(circuit.TryEnter());
        Assert.True(circuit.Failed());
        Assert.False(circuit.TryEnter());
    }

    [Fact]
    public void Lets_one_try_after_a_while_and_closes_when_that_succeeds()
    {
        Fail(StorageCircuit.FailuresToOpen);
        time.Advance(StorageCircuit.BreakDuration);
        Assert.True(circuit.TryEnter());
        Assert.False(circuit.TryEnter());

        Assert.False(circuit.Failed());
        Assert.False(circuit.TryEnter());

        time.Advance(StorageCircuit.BreakDuration);
        Assert.True(circuit.TryEnter());
        Assert.True(circuit.Succeeded());
        Assert.True(circuit.TryEnter());
        Assert.True(circuit.TryEnter());
    }

    [Fact]
    public void A_try_that_never_ends_does_not_keep_others_from_trying()
    {
        Fail(StorageCircuit.FailuresToOpen);
        time.Advance(StorageCircuit.BreakDuration);
        Assert.True(circuit.TryEnter());

        time.Advance(StorageCircuit.BreakDuration);
        Assert.True(circuit.TryEnter());
    }

    private void Fail(int times)
    {
        for (var failure = 1; failure <= times; failure++)
            Assert.Equal(failure == StorageCircuit.FailuresToOpen, circuit.Failed());
    }
}
