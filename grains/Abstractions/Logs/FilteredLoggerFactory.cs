using Microsoft.Extensions.Logging;

namespace DroitsAmeli.Grains.Logs;

/// <summary>
/// Makes the loggers of a process: what any of them is given reaches the providers without personal grain keys. Nothing is looked through
/// before a provider reads it.
/// </summary>
/// <param name="factory">Has the providers; disposed of by who made it.</param>
/// <param name="filter">Replaces the keys.</param>
internal sealed class FilteredLoggerFactory(ILoggerFactory factory, KeyFilter filter) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new Filtered(factory.CreateLogger(categoryName), filter);

    public void AddProvider(ILoggerProvider provider) => factory.AddProvider(provider);

    public void Dispose()
    {
    }

    private sealed class Filtered(ILogger logger, KeyFilter filter) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(FilteredState.Of(state, filter));

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!logger.IsEnabled(logLevel))
                return;
            logger.Log(
                logLevel,
                eventId,
                FilteredState.Of(state, filter),
                exception is null ? null : FilteredException.Of(exception, filter),
                (_, _) => filter.Replace(formatter(state, exception)));
        }
    }
}
