using System.Collections;
using System.Text.RegularExpressions;

namespace DroitsAmeli.Grains.Logs;

/// <summary>Replaces personal grain keys, alone or after their grain type, by their <see cref="LogReference"/>.</summary>
/// <param name="references">Asked for at the first key. When that fails, references mean nothing outside this process.</param>
/// <param name="time">Tells the month in that case.</param>
internal sealed class KeyFilter(Func<LogReference> references, TimeProvider time)
{
    private static readonly Regex Keys = new(
        string.Join('|', GrainKeys.Personal.Select(grain => $@"(?<![A-Za-z]){grain.Type}/(?<key>[\w-]+)|(?<![\w-])(?<key>{grain.Prefix}[\w-]{{2,}})")),
        RegexOptions.Compiled | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture);

    private LogReference? known;

    /// <summary>The same object when nothing is replaced.</summary>
    public string Replace(string text) => Keys.IsMatch(text) ? Keys.Replace(text, Replace) : text;

    /// <summary>The same object when nothing is replaced; else a text, or a list whose items are texts.</summary>
    public object? Replace(object? value)
    {
        switch (value)
        {
            case null or (IConvertible and not string) or Guid or TimeSpan or DateTimeOffset:
                return value;
            case string text:
                return Replace(text);
            case IEnumerable items and not IFormattable:
                var before = items.Cast<object?>().ToList();
                var after = before.ConvertAll(Replace);
                return before.Zip(after).All(pair => ReferenceEquals(pair.First, pair.Second)) ? value : after;
            default:
                var written = value.ToString() ?? "";
                var replaced = Replace(written);
                return ReferenceEquals(written, replaced) ? value : replaced;
        }
    }

    private string Replace(Match match)
    {
        var key = match.Groups["key"];
        return string.Concat(match.ValueSpan[..(key.Index - match.Index)], References().OfKey(key.Value));
    }

    private LogReference References()
    {
        if (known is not null)
            return known;
        try
        {
            return known = references();
        }
        catch (Exception)
        {
            // Whoever logs is not to fail, and the key is not to be seen: why the secret cannot be had is told by who needs it.
            return known = LogReference.OfThisProcess(time);
        }
    }
}
