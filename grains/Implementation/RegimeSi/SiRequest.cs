using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>One question to the SI. A NIR stands in a header or a body, never in the path.</summary>
/// <param name="Call">The label of the call in metrics and logs.</param>
/// <param name="Path">Below <c>/si/v1/</c>, escaped.</param>
/// <param name="Stage">Which call of a visit it is.</param>
/// <param name="Subject">A hash of whom it is about: the same for all questions about one family, or one person to identify.</param>
internal sealed record SiRequest(string Call, string Path, SiStage Stage, int Subject)
{
    public IdentificationRequest? Identification { get; init; }
    public Nir? Nir { get; init; }
    public long? HeldVersion { get; init; }
    public string? ETag => HeldVersion is { } version ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"\"{version}\"") : null;

    public static SiRequest Identify(IdentificationRequest body) =>
        new("identifications", "identifications", SiStage.Identification, HashCode.Combine(body.FamilyName, body.Birthdate)) { Identification = body };

    public static SiRequest Composition(string famille, long? heldVersion) =>
        new("familles", FamillePath(famille), SiStage.Composition, famille.GetHashCode(StringComparison.Ordinal)) { HeldVersion = heldVersion };

    public static SiRequest Droits(string famille, Nir nir, long? heldVersion) =>
        new("droits", FamillePath(famille) + "/droits", SiStage.Droits, famille.GetHashCode(StringComparison.Ordinal)) { Nir = nir, HeldVersion = heldVersion };

    private static string FamillePath(string famille) => famille is "" or "." or ".."
        ? throw new ArgumentException("Not a family id.", nameof(famille))
        : "familles/" + Uri.EscapeDataString(famille);

    // The NIR and the identity would stand in the text that a record makes of itself.
    public override string ToString() => Call;
}
