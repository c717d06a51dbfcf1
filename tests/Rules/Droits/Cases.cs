using System.Globalization;
using System.Text;
using DroitsAmeli.Api.Callers;
using DroitsAmeli.Api.Droits;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Tests.Rules.Droits;

/// <summary>Short ways to write down callers, dates and rights in tests.</summary>
internal static class Cases
{
    public const string Everything = "droits_assurance_maladie";

    public static Nir ANir { get; } = NirOf("2780275108005");

    public static Nir NirOf(string text) => Nir.TryParse(text, out var nir) ? nir : throw new ArgumentException("Not a NIR.", nameof(text));

    public static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static DateOnly? DayOrNull(string? text) => text is null ? null : Day(text);

    /// <summary>A window, asked for on 2026-03-14.</summary>
    public static PlageRecherche Plage(string? debut = null, string? fin = null) =>
        PlageRecherche.TryCreate(debut, fin, new DateTimeOffset(2026, 3, 14, 11, 0, 0, TimeSpan.Zero), out var plage, out var parametre)
            ? plage
            : throw new ArgumentException(parametre);

    public static PeriodeDroits Periode(string? debut, string? fin) => new() { DateDebut = DayOrNull(debut), DateFin = DayOrNull(fin) };

    public static DroitsBeneficiaire NoRights => new() { Famille = "F1", Nir = ANir, Version = 1 };

    public static Convention Hopital => Partner(CallerType.EtablissementDeSoins, ExonerationsRule.Refusees);

    public static Convention Mutuelle => Partner(CallerType.OrganismeComplementaire, ExonerationsRule.Masquees);

    public static Convention MutuelleStricte => Partner(CallerType.OrganismeComplementaire, ExonerationsRule.Refusees);

    public static Convention Partner(CallerType type, ExonerationsRule exonerations) => new()
    {
        Id = "c",
        Nom = "Partenaire",
        Type = type,
        Exonerations = exonerations,
        ClientsFranceConnect = new HashSet<string>(),
        Active = true,
    };

    public static View ViewOf(Convention convention, string scopes = Everything, Ouverture ouverture = Ouverture.Utilisateur) =>
        View.Of(convention, Scopes.Parse(scopes), ouverture);

    public static string Text(byte[] json) => Encoding.UTF8.GetString(json);
}
