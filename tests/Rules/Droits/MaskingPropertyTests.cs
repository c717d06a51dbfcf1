using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using CsCheck;
using DroitsAmeli.Api.Callers;
using DroitsAmeli.Api.Droits;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Familles;
using Xunit;
using static DroitsAmeli.Tests.Rules.Droits.Cases;

namespace DroitsAmeli.Tests.Rules.Droits;

public sealed class MaskingPropertyTests
{
    private static readonly JsonSerializerOptions Full = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private static readonly long Pairs = Environment.GetEnvironmentVariable("DROITS_TESTS_FULL") == "1" ? 1_000_000 : 100_000;

    private static readonly Gen<string?> Word = Among("ÉLOÏSE", "D'ARC", "<b>", "\"", "").Null(0.3);

    private static readonly Gen<DateOnly?> Date = Gen.Int[0, 800].Select(days => new DateOnly(2026, 1, 1).AddDays(days)).Nullable(0.3);

    private static readonly Gen<bool?> Boolean = Gen.Bool.Nullable(0.3);

    private static readonly Gen<Nir?> Numero = Among(ANir, NirOf("191022A115012"), NirOf("2840588321057")).Null(0.2);

    private static readonly Gen<Beneficiaire> Beneficiaires =
        Gen.Select(Gen.Select(Date, Boolean, Boolean, Numero), Gen.Select(Word, Word, Word), Gen.Enum<Qualite>().Nullable(0.2), Gen.Int[1, 3].Nullable(0.3))
            .Select((facts, names, qualite, rang) => new Beneficiaire
            {
                DateNaissance = facts.Item1,
                MedecinTraitantChoisi = facts.Item2,
                PresenceCmucAcs = facts.Item3,
                Nir = facts.Item4,
                NomFamille = names.Item1,
                NomUsage = names.Item2,
                Prenom = names.Item3,
                Qualite = qualite,
                RangNaissance = rang,
            });

    private static readonly Gen<Adresse> Adresses = Word.Array[10].Select(lines => new Adresse
    {
        CodePostal = lines[0],
        Commune = lines[1],
        ComplementAdresse = lines[2],
        Destinataire = lines[3],
        IndiceRepetition = lines[4],
        MentionDistribution = lines[5],
        NomVoie = lines[6],
        NumeroVoie = lines[7],
        PointRemise = lines[8],
        TypeVoie = lines[9],
    });

    private static readonly Gen<Caisse> Caisses = Gen.Select(Adresses.Null(0.2), Word.Array[5]).Select((adresse, words) => new Caisse
    {
        Adresse = adresse,
        CodeCentre = words[0],
        GrandRegime = words[1],
        Id = words[2],
        Libelle = words[3],
        Organisme = words[4],
    });

    private static readonly Gen<DetailsContrat> Details =
        Gen.Select(Among("BASE", "C2S", "C2SP", "CMUC", "ACS_A", "ACS_B", "ACS_C", "AME", "DETENU", "base", "").Null(0.1), Word)
            .Select((code, libelle) => new DetailsContrat { CodeTypeContrat = code, LibelleTypeContrat = libelle });

    private static readonly Gen<Contrat> Contrats =
        Gen.Select(
                Gen.Enum<NatureAssurance>().Nullable(0.1),
                Details.Null(0.1),
                Gen.Select(Date, Date),
                Gen.Select(Date, Date).Select((debut, fin) => new PeriodeDroits { DateDebut = debut, DateFin = fin }).Array[0, 3])
            .Select((nature, details, dates, periodes) => new Contrat
            {
                NatureAssurance = nature,
                Details = details,
                DateDebut = dates.Item1,
                DateFin = dates.Item2,
                PeriodesDroits = periodes,
            });

    private static readonly Gen<Exoneration> Exonerations =
        Gen.Select(
                Gen.Select(Date, Date),
                Gen.Select(Date, Date).Select((debut, fin) => new Maternite { DatePresumeeGrossesse = debut, DateReelleAccouchement = fin }).Null(0.7),
                Gen.Select(Gen.Enum<CodeMotif>().Nullable(0.1), Word, Word)
                    .Select((code, libelle, libelleLong) => new Motif { Code = code, Libelle = libelle, LibelleLong = libelleLong }).Null(0.1))
            .Select((dates, maternite, motif) => new Exoneration { DateDebut = dates.Item1, DateFin = dates.Item2, Maternite = maternite, Motif = motif });

    private static readonly Gen<MedecinTraitant> Medecins = Gen.Select(Date, Date, Word, Word, Word)
        .Select((debut, fin, nom, prenom, numero) => new MedecinTraitant { DateDebut = debut, DateFin = fin, Nom = nom, Prenom = prenom, NumeroAm = numero });

    private static readonly Gen<Asked> Resources = Gen.OneOf(
        Beneficiaires.Select(value => new Asked("/", Ressource.Beneficiaire, ToJson(value), view => MaskingPolicy.Render(view, value))),
        Beneficiaires.Array[0, 3].Select(value => new Asked("/me/beneficiaires", Ressource.MeBeneficiaires, ToJson(value), view => MaskingPolicy.Render(view, value))),
        Caisses.Select(value => new Asked("/caisse", Ressource.Caisse, ToJson(value), view => MaskingPolicy.Render(view, value))),
        Contrats.Array[0, 3].Select(value => new Asked("/contrats", Ressource.Contrats, ToJson(value), view => MaskingPolicy.Render(view, value))),
        Exonerations.Array[0, 4].Select(value => new Asked("/exonerations", Ressource.Exonerations, ToJson(value), view => MaskingPolicy.Render(view, value))),
        Medecins.Select(value => new Asked("/medecin-traitant", Ressource.MedecinTraitant, ToJson(value), view => MaskingPolicy.Render(view, value))));

    private static readonly Gen<string[]> ScopeNames = Gen.OneOf(
        Gen.Const(new[] { "openid", Everything }),
        Among(
            Everything, "cnam_beneficiaires", "cnam_caisse", "cnam_contrats", "cnam_exonerations", "cnam_medecin_traitant",
            "cnam_presence_medecin_traitant", "openid", "CNAM_CAISSE", "droits_assurance_maladies").Array[0, 5]);

    private static readonly Gen<Caller> Callers =
        Gen.Select(Gen.Enum<CallerType>(), Gen.Enum<ExonerationsRule>(), ScopeNames, Among(Ouverture.Utilisateur, Ouverture.Rattache))
            .Select((type, exonerations, scopes, ouverture) => new Caller(type, exonerations, scopes, ouverture));

    [Fact]
    public void Shows_exactly_what_a_naive_masker_shows()
    {
        var (shown, refused) = (0, 0);
        Gen.Select(Resources, Callers).Sample(
            (asked, caller) =>
            {
                var expected = NaiveMasker.Mask(
                    asked.Path,
                    asked.Full,
                    caller.Type is CallerType.OrganismeComplementaire,
                    caller.Exonerations is ExonerationsRule.Masquees,
                    caller.Ouverture is Ouverture.Rattache,
                    caller.Scopes.ToHashSet());

                var view = ViewOf(Partner(caller.Type, caller.Exonerations), string.Join(' ', caller.Scopes), caller.Ouverture);
                if (expected is null)
                {
                    Interlocked.Increment(ref refused);
                    Assert.False(view.Opens(asked.Ressource));
                    return;
                }

                Interlocked.Increment(ref shown);
                Assert.True(view.Opens(asked.Ressource));
                var actual = JsonNode.Parse(asked.Render(view));
                if (!JsonNode.DeepEquals(expected, actual))
                    Assert.Equal(expected.ToJsonString(), actual!.ToJsonString());
            },
            iter: Pairs);
        Assert.True(shown > Pairs / 4 && refused > Pairs / 8, $"{shown} shown, {refused} refused");
    }

    private static Gen<T> Among<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static JsonNode ToJson<T>(T value) => JsonSerializer.SerializeToNode(value, Full)!;

    private sealed record Asked(string Path, Ressource Ressource, JsonNode Full, Func<View, byte[]> Render);

    private sealed record Caller(CallerType Type, ExonerationsRule Exonerations, string[] Scopes, Ouverture Ouverture);
}
