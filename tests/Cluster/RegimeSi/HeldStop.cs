using Orleans.Runtime;

namespace DroitsAmeli.Tests.Cluster.RegimeSi;

/// <summary>Holds a silo on its way out, where its status tells so and its services still answer, until it is let go.</summary>
internal sealed class HeldStop : ILifecycleParticipant<ISiloLifecycle>
{
    private TaskCompletionSource? held;

    public void Hold() => held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void LetGo() => held?.TrySetResult();

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(HeldStop), ServiceLifecycleStage.ApplicationServices, _ => Task.CompletedTask, _ => held?.Task ?? Task.CompletedTask);
}
