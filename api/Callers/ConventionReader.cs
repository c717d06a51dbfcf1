using System.Collections.Frozen;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using DroitsAmeli.Api.Droits;
using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Api.Callers;

/// <summary>
/// Reads one convention of the file, and notes each field that cannot be used. A name that nobody knows, or a null, may be a limit that was
/// meant: it counts as such a field too, for to ignore it would open what the convention closes.
/// </summary>
internal sealed class ConventionReader
{
    private const int LongestId = 100;
    private const int LongestFieldName = 40;
    private const string QuotaField = "quota";

    private static readonly FrozenSet<string> Known =
    [
        "id", "nom", "type", "cles_sha256", "clients_franceconnect", "exonerations", QuotaField, "active",
        "cas_usage", "debut", "fin", "ressources", "age_maximal_minutes",
    ];

    private static readonly FrozenSet<string> KnownLimits = ["par_minute", "par_jour"];

    private static readonly Dictionary<string, CallerType> Types = new(StringComparer.Ordinal)
    {
        ["etablissement_de_soins"] = CallerType.EtablissementDeSoins,
        ["organisme_complementaire"] = CallerType.OrganismeComplementaire,
    };

    private static readonly Dictionary<string, ExonerationsRule> Rules = new(StringComparer.Ordinal)
    {
        ["refusees"] = ExonerationsRule.Refusees,
        ["masquees"] = ExonerationsRule.Masquees,
    };

    private static readonly Dictionary<string, CasUsage> Uses = new(StringComparer.Ordinal)
    {
        ["pre_admission"] = CasUsage.PreAdmission,
        ["adhesion"] = CasUsage.Adhesion,
    };

    // Paths, without the slashes around them, and the operation ids of the CNAM's own document.
    private static readonly Dictionary<string, Ressource> Ressources = new(StringComparer.Ordinal)
    {
        ["me"] = Ressource.Me,
        ["getMe"] = Ressource.Me,
        ["me/beneficiaires"] = Ressource.MeBeneficiaires,
        ["getBeneficiaires"] = Ressource.MeBeneficiaires,
        [""] = Ressource.Beneficiaire,
        ["getBeneficiairesNir"] = Ressource.Beneficiaire,
        ["caisse"] = Ressource.Caisse,
        ["getBeneficiairesNirCaisse"] = Ressource.Caisse,
        ["contrats"] = Ressource.Contrats,
        ["getBeneficiairesNirContrats"] = Ressource.Contrats,
        ["exonerations"] = Ressource.Exonerations,
        ["getBeneficiairesNirExonerations"] = Ressource.Exonerations,
        ["medecin-traitant"] = Ressource.MedecinTraitant,
        ["getBeneficiairesNirMedecinTraitant"] = Ressource.MedecinTraitant,
    };

    private readonly Dictionary<string, JsonElement> fields;
    private readonly List<string> faults = [];

    private ConventionReader(JsonElement element) => fields = element.ValueKind == JsonValueKind.Object ? MembersOf(element) : [];

    /// <summary>Reads the convention at that place of the file; the place names it when its id cannot be read.</summary>
    public static ConventionEntry Read(JsonElement element, int index) => new ConventionReader(element).Read(index);

    private ConventionEntry Read(int index)
    {
        NoteUnusable(fields, Known, "");
        var id = Text("id") is { } text && text.Length <= LongestId && !text.Any(char.IsControl) ? text : Fault<string>("id");
        var nom = Text("nom") ?? Fault<string>("nom");
        var type = Mandatory("type", Types);
        var keys = Keys();
        var clients = Texts("clients_franceconnect");
        var exonerations = Optional("exonerations", Rules);
        var (parMinute, parJour) = Quota();
        var active = Active();
        var use = Optional("cas_usage", Uses);
        var debut = Date("debut");
        var fin = Date("fin");
        if (fin < debut)
            Fault<string>("fin");
        var ressources = ReadRessources();
        var age = Number("age_maximal_minutes", fields, LongestAge.Hours * 60);

        var partner = new Partner(id ?? $"convention[{index}]", parMinute, parJour);
        var disabled = faults.Count > 0 || id is null || nom is null || type is null || clients is null || active is null;
        var convention = disabled ? null : new Convention
        {
            Id = partner.Id,
            Nom = nom!,
            Type = type!.Value,
            Exonerations = exonerations ?? ExonerationsRule.Refusees,
            ClientsFranceConnect = clients!,
            CasUsage = use,
            Active = active!.Value,
            Debut = debut,
            Fin = fin,
            Ressources = ressources,
            AgeMaximal = age is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
        };
        return new ConventionEntry(partner, convention, keys, [.. faults.Distinct(StringComparer.Ordinal)]);
    }

    private static Dictionary<string, JsonElement> MembersOf(JsonElement element) =>
        element.EnumerateObject().ToDictionary(property => property.Name, property => property.Value, StringComparer.Ordinal);

    private static string Loggable(string name) =>
        name.Length <= LongestFieldName && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-') ? name : "?";

    private void NoteUnusable(Dictionary<string, JsonElement> members, FrozenSet<string> known, string prefix) => faults.AddRange(
        members.Where(member => !known.Contains(member.Key) || member.Value.ValueKind == JsonValueKind.Null).Select(member => prefix + Loggable(member.Key)));

    private T? Fault<T>(string field)
    {
        faults.Add(field);
        return default;
    }

    private bool Has(string field, out JsonElement value) =>
        fields.TryGetValue(field, out value) && value.ValueKind != JsonValueKind.Null;

    private string? Text(string field) =>
        Has(field, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { } text
            && !string.IsNullOrWhiteSpace(text) ? text : null;

    private T? Mandatory<T>(string field, Dictionary<string, T> values)
        where T : struct
    {
        if (!Has(field, out _))
            faults.Add(field);
        return Optional(field, values);
    }

    private T? Optional<T>(string field, Dictionary<string, T> values)
        where T : struct
    {
        if (!Has(field, out var value))
            return null;
        if (value.ValueKind == JsonValueKind.String && values.TryGetValue(value.GetString()!, out var known))
            return known;
        faults.Add(field);
        return null;
    }

    private bool? Active()
    {
        if (Has("active", out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        faults.Add("active");
        return null;
    }

    private IReadOnlySet<string>? Texts(string field)
    {
        if (!Has(field, out var list) || list.ValueKind != JsonValueKind.Array)
            return Fault<IReadOnlySet<string>>(field);

        var texts = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.String && !string.IsNullOrWhiteSpace(item.GetString()))
                texts.Add(item.GetString()!);
            else
                faults.Add(field);
        }

        return texts;
    }

    // The readable ones stay known even when another is not: their owner is told 403, not 401.
    private List<byte[]> Keys()
    {
        const string Field = "cles_sha256";
        var keys = new List<byte[]>();
        if (!Has(Field, out var list) || list.ValueKind != JsonValueKind.Array)
        {
            faults.Add(Field);
            return keys;
        }

        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.String && item.GetString() is { Length: SHA256.HashSizeInBytes * 2 } text
                && text.All(char.IsAsciiHexDigit))
                keys.Add(Convert.FromHexString(text));
            else
                faults.Add(Field);
        }

        return keys;
    }

    private (int? ParMinute, int? ParJour) Quota()
    {
        if (!Has(QuotaField, out var quota) || quota.ValueKind != JsonValueKind.Object)
        {
            faults.Add(QuotaField);
            return (null, null);
        }

        var limits = MembersOf(quota);
        NoteUnusable(limits, KnownLimits, QuotaField + ".");
        faults.AddRange(KnownLimits.Where(limit => !limits.ContainsKey(limit)).Select(limit => $"{QuotaField}.{limit}"));
        return (Number("par_minute", limits, int.MaxValue), Number("par_jour", limits, int.MaxValue));
    }

    private int? Number(string field, Dictionary<string, JsonElement> from, int most)
    {
        if (!from.TryGetValue(field, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 1 && number <= most)
            return number;
        faults.Add(ReferenceEquals(from, fields) ? field : $"{QuotaField}.{field}");
        return null;
    }

    private DateOnly? Date(string field)
    {
        if (!Has(field, out var value))
            return null;
        if (value.ValueKind == JsonValueKind.String
            && DateOnly.TryParseExact(value.GetString(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            return date;
        faults.Add(field);
        return null;
    }

    private HashSet<Ressource>? ReadRessources()
    {
        const string Field = "ressources";
        if (!Has(Field, out var list))
            return null;
        if (list.ValueKind != JsonValueKind.Array)
            return Fault<HashSet<Ressource>>(Field);

        var ressources = new HashSet<Ressource>();
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.String && Ressources.TryGetValue(item.GetString()!.Trim('/'), out var ressource))
                ressources.Add(ressource);
            else
                faults.Add(Field);
        }

        return ressources;
    }
}
