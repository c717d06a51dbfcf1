using DroitsAmeli.Tests.Sandbox;
using DroitsAmeli.Tests.Sandbox.Processes;
using Xunit.Sdk;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(RunningSandbox))]
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace DroitsAmeli.Tests.Sandbox;

/// <summary>One sandbox for all tests that only look; started by the first that asks.</summary>
public sealed class RunningSandbox : IAsyncLifetime
{
    private readonly Lazy<Task<SandboxProcess>> sandbox = new(SandboxProcess.Start);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (sandbox.IsValueCreated && sandbox.Value.IsCompletedSuccessfully)
            await (await sandbox.Value).DisposeAsync();
    }

    internal Task<SandboxProcess> Get() => sandbox.Value;
}
