using System.Collections;
using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Tests.Rules.Logs;

/// <summary>Keeps everything that a provider can read of a line: message, values, exception, scopes.</summary>
internal sealed class Written : ILoggerProvider, ISupportExternalScope
{
    private IExternalScopeProvider? scopes;

    public List<string> Lines { get; } = [];

    public List<IReadOnlyDictionary<string, object?>> Values { get; } = [];

    public Exception? Exception { get; private set; }

    public string All => string.Join('\n', Lines);

    public ILogger CreateLogger(string categoryName) => new Writer(this);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => scopes = scopeProvider;

    public void Dispose()
    {
    }

    private void Write(object? state, string message, Exception? exception)
    {
        Lines.Add(message);
        Note(state);
        scopes?.ForEachScope(static (scope, written) => written.Note(scope), this);
        Exception = exception;
        for (var one = exception; one is not null; one = one.InnerException)
        {
            Lines.AddRange([one.ToString(), one.Message, one.StackTrace ?? ""]);
            foreach (DictionaryEntry entry in one.Data)
                Lines.Add($"{entry.Key}: {entry.Value}");
        }
    }

    private void Note(object? state)
    {
        Lines.Add($"{state}");
        if (state is not IEnumerable<KeyValuePair<string, object?>> values)
            return;
        Values.Add(values.ToDictionary());
        foreach (var (name, value) in values)
            Lines.Add($"{name}={(value is IEnumerable items and not string ? string.Join(' ', items.Cast<object?>()) : value)}");
    }

    private sealed class Writer(Written written) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => written.scopes?.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            written.Write(state, formatter(state, exception), exception);
    }
}
