namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>Lets so many calls in at once; the limit may change while calls wait.</summary>
internal sealed class ConcurrencyGate
{
    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private int _active;

    /// <summary>False when the gate is full and nobody is to wait; otherwise the caller must leave.</summary>
    public async Task<bool> Enter(Concurrency concurrency, CancellationToken cancellationToken)
    {
        TaskCompletionSource turn;
        lock (_lock)
        {
            if (_active < (concurrency.Limit ?? int.MaxValue))
            {
                _active++;
                return true;
            }

            if (concurrency.Refuse)
                return false;

            turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
        }

        await using var cancelled = cancellationToken.Register(() => turn.TrySetCanceled(cancellationToken));
        await turn.Task;
        return true;
    }

    public void Leave(Concurrency concurrency)
    {
        lock (_lock)
            _active--;
        Admit(concurrency);
    }

    /// <summary>Lets in those for whom there is room.</summary>
    public void Admit(Concurrency concurrency)
    {
        lock (_lock)
            while (_active < (concurrency.Limit ?? int.MaxValue) && _waiting.TryDequeue(out var turn))
                if (turn.TrySetResult())
                    _active++;
    }
}
