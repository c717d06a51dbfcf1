using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Tests.Api;

/// <summary>Keeps every line that the processes of a bench log, scopes and exceptions included.</summary>
public sealed class LogSink : ILoggerProvider, ISupportExternalScope
{
    private readonly ConcurrentQueue<string> lines = new();
    private IExternalScopeProvider? scopes;

    public IReadOnlyCollection<string> Lines => lines;

    public ILogger CreateLogger(string categoryName) => new Sink(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

    public void Dispose()
    {
    }

    private sealed class Sink(LogSink owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => owner.scopes?.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var scoped = new List<object?>();
            owner.scopes?.ForEachScope(static (scope, all) => all.Add(scope), scoped);
            owner.lines.Enqueue($"{logLevel} {category} {formatter(state, exception)} {exception} {string.Join(' ', scoped)}");
        }
    }
}
