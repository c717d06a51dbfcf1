namespace DroitsAmeli.Grains.Logs;

/// <summary>Grains whose key stands for a person, a family or a token.</summary>
/// <param name="Type">The grain type, as the runtime writes it before a slash and the key.</param>
/// <param name="Prefix">With what each of their keys begins.</param>
public sealed record PersonalGrain(string Type, string Prefix);

/// <summary>Which grain keys may be read in a log. A grain with a text for its key stands in one of the two lists.</summary>
public static class GrainKeys
{
    /// <summary>Their keys are replaced in everything that is logged.</summary>
    public static IReadOnlyList<PersonalGrain> Personal { get; } = [new("famille", "f-"), new("identite", "i-"), new("jeton", "j-")];

    /// <summary>Their keys are logged as they are: conventions, and grains of which there is one.</summary>
    public static IReadOnlyList<string> Readable { get; } = ["convention", "prechauffage", "si-evenements", "si-slots"];
}
