using System.Collections;

namespace DroitsAmeli.Grains.Logs;

/// <summary>Stands in for an exception that shows personal grain keys; written out, it is that exception with references in their place.</summary>
internal sealed class FilteredException : Exception
{
    private readonly Exception exception;
    private readonly KeyFilter filter;

    private FilteredException(Exception exception, KeyFilter filter)
        : base(null, exception.InnerException is { } inner ? Of(inner, filter) : null)
    {
        (this.exception, this.filter) = (exception, filter);
        HResult = exception.HResult;
        foreach (DictionaryEntry entry in exception.Data)
            Data[filter.Replace(entry.Key) ?? ""] = filter.Replace(entry.Value);
    }

    public override string Message => filter.Replace(exception.Message);

    public override string? StackTrace => exception.StackTrace is { } trace ? filter.Replace(trace) : null;

    public override string? Source => exception.Source;

    /// <summary>The same object when it shows none.</summary>
    public static Exception Of(Exception exception, KeyFilter filter) => Shows(exception, filter) ? new FilteredException(exception, filter) : exception;

    public override string ToString() => filter.Replace(exception.ToString());

    private static bool Shows(Exception exception, KeyFilter filter) =>
        IsReplaced(exception.ToString(), filter)
        || IsReplaced(exception.Message, filter)
        || exception.Data.Cast<DictionaryEntry>().Any(entry => IsReplaced(entry.Key, filter) || IsReplaced(entry.Value, filter))
        || (exception is AggregateException several
            ? several.InnerExceptions.Any(inner => Shows(inner, filter))
            : exception.InnerException is { } only && Shows(only, filter));

    private static bool IsReplaced(object? value, KeyFilter filter) => !ReferenceEquals(filter.Replace(value), value);
}
