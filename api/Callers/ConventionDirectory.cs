using System.Security.Cryptography;
using System.Text;
using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Droits;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Api.Callers;

/// <summary>What an API key is worth today.</summary>
public enum ConventionLookupResult
{
    /// <summary>401 <c>cle_api_invalide</c>.</summary>
    Unknown,

    /// <summary>403 <c>convention_non_eligible</c>: disabled, suspended or out of its dates.</summary>
    Ineligible,

    Eligible,
}

/// <summary>The answer to a look-up.</summary>
/// <param name="Result">What the key is worth.</param>
/// <param name="Partner">Set unless the key is unknown: every call with a known key counts against its quota.</param>
/// <param name="Convention">Set when eligible; may be set when ineligible, and then grants nothing.</param>
public sealed record ConventionLookup(ConventionLookupResult Result, Partner? Partner = null, Convention? Convention = null);

/// <summary>The partners, as the conventions file states them now.</summary>
public sealed partial class ConventionDirectory : IDisposable
{
    private static readonly ConventionLookup UnknownKey = new(ConventionLookupResult.Unknown);

    private readonly ReloadedFile<ConventionsFile> file;
    private readonly TimeProvider time;
    private readonly ILogger<ConventionDirectory> logger;

    /// <summary>Reads the file, and follows it.</summary>
    /// <exception cref="SettingException">The file cannot be read, or is refused as a whole.</exception>
    public ConventionDirectory(IOptions<ConventionsOptions> options, TimeProvider time, ILogger<ConventionDirectory> logger)
    {
        this.time = time;
        this.logger = logger;
        try
        {
            file = new ReloadedFile<ConventionsFile>(options.Value.File, ConventionsFile.Parse, time, logger);
        }
        catch (SettingException exception)
        {
            throw new SettingException($"Conventions:File: {exception.Message}", exception);
        }

        file.Changed += Report;
        Report(file.Current);
    }

    /// <summary>Whose key this is, and whether the convention is in force today, in Paris.</summary>
    public ConventionLookup Find(string apiKey)
    {
        if (file.Current.Find(SHA256.HashData(Encoding.UTF8.GetBytes(apiKey))) is not { } entry)
            return UnknownKey;
        var inForce = entry.Convention?.IsInForce(time.Today()) == true;
        return new ConventionLookup(
            inForce ? ConventionLookupResult.Eligible : ConventionLookupResult.Ineligible, entry.Partner, entry.Convention);
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private void Report(ConventionsFile conventions)
    {
        foreach (var entry in conventions.Entries)
        {
            if (entry.Convention is null)
                LogDisabled(entry.Partner.Id, string.Join(", ", entry.Faults));
        }

        LogInForce(conventions.Entries.Count, conventions.Entries.Count(entry => entry.Convention is null));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Convention {Convention} is disabled: missing, unknown or unusable {Fields}. See to its entry in Conventions:File, which is read again when it changes.")]
    private partial void LogDisabled(string convention, string fields);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} conventions read, {Disabled} of them disabled.")]
    private partial void LogInForce(int count, int disabled);
}
