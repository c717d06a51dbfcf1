using System.Text;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.RegimeSi;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

public sealed class SiPayloadTests
{
    private const string Number = "2780275108005";

    private static readonly Nir User = Nir.TryParse(Number, out var nir) ? nir : throw new InvalidOperationException();

    [Fact]
    public void Reads_an_identification()
    {
        var read = SiPayload.ReadIdentification(Utf8($$"""{"famille":"F1","nir":"{{Number}}55"}"""));
        Assert.Equal(new Identification("F1", User), read);
    }

    [Theory]
    [InlineData("""{"nir":"2780275108005"}""", RefusalReason.MissingPart)]
    [InlineData("""{"famille":"F1"}""", RefusalReason.MissingPart)]
    [InlineData("""{"famille":"","nir":"2780275108005"}""", RefusalReason.MissingPart)]
    [InlineData("""{"famille":null,"nir":"2780275108005"}""", RefusalReason.MissingPart)]
    [InlineData("""{"famille":7,"nir":"2780275108005"}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"..","nir":"2780275108005"}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","nir":"2780275108005 56"}""", RefusalReason.BadNir)]
    [InlineData("""{"famille":"F1","nir":2780275108005}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","famille":"F1","nir":"2780275108005"}""", RefusalReason.Unparseable)]
    [InlineData("""{"famille":"F1","f\u0061mille":"F1","nir":"2780275108005"}""", RefusalReason.Unparseable)]
    [InlineData("""{"famille":"\ud800","nir":"2780275108005"}""", RefusalReason.Unparseable)]
    [InlineData("""{"famille":"F1","nir":"2780275108005"} x""", RefusalReason.Unparseable)]
    [InlineData("""[]""", RefusalReason.WrongType)]
    [InlineData("""null""", RefusalReason.WrongType)]
    [InlineData("", RefusalReason.Unparseable)]
    [InlineData("<html>", RefusalReason.Unparseable)]
    public void Refuses_an_identification(string body, RefusalReason reason) =>
        AssertRefused(reason, () => SiPayload.ReadIdentification(Utf8(body)));

    [Fact]
    public void Refuses_a_family_whose_key_could_not_be_stored()
    {
        var longest = new string('é', SiPayload.MaxFamilleBytes / 2);
        Assert.Equal(longest, SiPayload.ReadIdentification(Utf8($$"""{"famille":"{{longest}}","nir":"{{Number}}"}""")).Famille);
        AssertRefused(RefusalReason.WrongType, () => SiPayload.ReadIdentification(Utf8($$"""{"famille":"{{longest}}e","nir":"{{Number}}"}""")));
    }

    [Fact]
    public void Reads_a_composition()
    {
        var composition = Composition($$"""
            {"famille":"F1","version":7,"nouveaute":{"x":1},"beneficiaires":[
              {"nir":"{{Number}}","nom_famille":"DURAND","nom_usage":"","prenom":"Anne","qualite":"assure","rang_naissance":1,"date_naissance":"1978-02-01",
               "presences":{"amc":[{"date_debut":"2026-01-01","date_fin":"2026-12-31"}],"medecin_traitant":[{}]},
               "date_deces":null,"rattachement":{"date_debut":"2020-01-01"},"restrictions":["dossier_sensible",""]},
              {"prenom":"Zoé","qualite":"enfant"}]}
            """);

        Assert.Equal(7, composition.Version);
        var (anne, zoe) = (composition.Membres[0], composition.Membres[1]);
        Assert.Equal(
            new Beneficiaire { Nir = User, NomFamille = "DURAND", Prenom = "Anne", Qualite = Qualite.Assure, RangNaissance = 1, DateNaissance = new(1978, 2, 1) },
            anne.Beneficiaire);
        Assert.Equal([new PeriodeDroits { DateDebut = new(2026, 1, 1), DateFin = new(2026, 12, 31) }], anne.Presences!.Amc);
        Assert.Equal([new PeriodeDroits()], anne.Presences.MedecinTraitant);
        Assert.Equal(new PeriodeDroits { DateDebut = new(2020, 1, 1) }, anne.Rattachement);
        Assert.Equal(["dossier_sensible", ""], anne.Restrictions);
        Assert.Null(anne.DateDeces);
        Assert.Equal(new Beneficiaire { Prenom = "Zoé", Qualite = Qualite.Enfant }, zoe.Beneficiaire);
        Assert.Null(zoe.Presences);
        Assert.Empty(zoe.Restrictions);
    }

    [Theory]
    [InlineData("""{"version":7,"beneficiaires":[]}""", RefusalReason.MissingPart)]
    [InlineData("""{"famille":"F1","beneficiaires":[]}""", RefusalReason.MissingPart)]
    [InlineData("""{"famille":"F1","version":7}""", RefusalReason.MissingPart)]
    [InlineData("""{"famille":"f1","version":7,"beneficiaires":[]}""", RefusalReason.WrongFamille)]
    [InlineData("""{"famille":"F1","version":4,"beneficiaires":[]}""", RefusalReason.OlderVersion)]
    [InlineData("""{"famille":"F1","version":-1,"beneficiaires":[]}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":7.5,"beneficiaires":[]}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":"7","beneficiaires":[]}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":99999999999999999999,"beneficiaires":[]}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":null}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[null]}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"nir":"2780275108005"},{"nir":"278027510800555"}]}""", RefusalReason.DuplicateNir)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"nir":"123"}]}""", RefusalReason.BadNir)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"qualite":"cousin"}]}""", RefusalReason.UnknownValue)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"qualite":"ASSURE"}]}""", RefusalReason.UnknownValue)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"qualite":0}]}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"date_naissance":"1978-02-30"}]}""", RefusalReason.BadDate)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"date_naissance":"1978-02-01T00:00:00"}]}""", RefusalReason.BadDate)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"date_naissance":19780201}]}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"rang_naissance":"1"}]}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"prenom":{}}]}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"restrictions":null}]}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"restrictions":[1]}]}""", RefusalReason.WrongType)]
    [InlineData("""{"famille":"F1","version":7,"beneficiaires":[{"rattachement":{"date_debut":"2026-02-02","date_fin":"2026-02-01"}}]}""", RefusalReason.BadDate)]
    public void Refuses_a_composition(string body, RefusalReason reason) => AssertRefused(reason, () => Composition(body));

    [Fact]
    public void Half_of_the_presences_is_none() =>
        Assert.Null(Assert.Single(Composition("""{"famille":"F1","version":7,"beneficiaires":[{"presences":{"amc":[]}}]}""").Membres).Presences);

    [Fact]
    public void Refuses_what_is_not_utf_8()
    {
        var body = Utf8("""{"famille":"F1","version":7,"beneficiaires":[{"prenom":"é"}]}""").ToArray();
        body[Array.IndexOf(body, (byte)0xC3)] = 0xFF;
        AssertRefused(RefusalReason.Unparseable, () => SiPayload.ReadComposition(body, "F1", 5));
    }

    [Fact]
    public void Refuses_what_is_nested_without_end()
    {
        var bomb = new string('[', 100_000);
        AssertRefused(RefusalReason.Unparseable, () => Composition($$"""{"famille":"F1","version":7,"beneficiaires":[],"x":{{bomb}}"""));
    }

    [Fact]
    public void Reads_rights()
    {
        var droits = Droits($$$"""
            {"famille":"F1","nir":"{{{Number}}}","version":9,
             "caisse":{"id":"01261","libelle":"CPAM","codeCentre":"1234","grandRegime":"01","organisme":"261","adresse":{"commune":"ORLEANS","code_postal":"45000","point_remise":""}},
             "contrats":[{"nature_assurance":"AMC","details":{"code_type_contrat":"C2S","libelle_type_contrat":"Solidaire"},"date_fin":"2027-01-31","periodes_droits":[{"date_debut":"2026-02-01","date_fin":"2027-01-31"}]}],
             "exonerations":[{"date_fin":"2026-12-31","motif":{"code":"A115_DET_PML","libelle":"l","libelle_long":"ll"}},{"maternite":{"date_presumee_grossesse":"2026-01-01"},"motif":{"code":"MAT"}}],
             "medecins_traitants":[{"nom":"MARTIN","prenom":"Luc","numero_am":"123456789","date_debut":"2020-01-01"}]}
            """);

        Assert.Equal(9, droits.Version);
        Assert.Equal(User, droits.Nir);
        Assert.Equal(
            new Caisse { Id = "01261", Libelle = "CPAM", CodeCentre = "1234", GrandRegime = "01", Organisme = "261", Adresse = new Adresse { Commune = "ORLEANS", CodePostal = "45000" } },
            droits.Caisse);
        Assert.Equal(new DetailsContrat { CodeTypeContrat = "C2S", LibelleTypeContrat = "Solidaire" }, droits.Contrats[0].Details);
        Assert.Equal(NatureAssurance.Amc, droits.Contrats[0].NatureAssurance);
        Assert.Single(droits.Contrats[0].PeriodesDroits);
        Assert.Equal(CodeMotif.Article115DetenuPensionne, droits.Exonerations[0].Motif!.Code);
        Assert.Equal(new DateOnly(2026, 1, 1), droits.Exonerations[1].Maternite!.DatePresumeeGrossesse);
        Assert.Equal(new MedecinTraitant { Nom = "MARTIN", Prenom = "Luc", NumeroAm = "123456789", DateDebut = new(2020, 1, 1) }, droits.MedecinsTraitants[0]);
    }

    [Theory]
    [InlineData("exonerations", "null", RefusalReason.WrongType)]
    [InlineData("exonerations", """[{"motif":{"code":"XYZ"}}]""", RefusalReason.UnknownValue)]
    [InlineData("exonerations", """[{"motif":{"code":"mat"}}]""", RefusalReason.UnknownValue)]
    [InlineData("exonerations", """[{"motif":{"libelle":"x"}}]""", RefusalReason.MissingPart)]
    [InlineData("exonerations", """[{"date_debut":"2026-02-02","date_fin":"2026-02-01"}]""", RefusalReason.BadDate)]
    [InlineData("contrats", "{}", RefusalReason.WrongType)]
    [InlineData("contrats", """[{"nature_assurance":"AMX"}]""", RefusalReason.UnknownValue)]
    [InlineData("contrats", """[{"periodes_droits":null}]""", RefusalReason.WrongType)]
    [InlineData("contrats", """[{"periodes_droits":[{"date_debut":""}]}]""", RefusalReason.BadDate)]
    [InlineData("contrats", """[{"periodes_droits":[{"date_fin":"2027-01-31"}]}]""", RefusalReason.MissingPart)]
    [InlineData("medecins_traitants", """[{"date_fin":"2027-01-31","nom":"Petit"}]""", RefusalReason.MissingPart)]
    [InlineData("contrats", """[{"date_debut":"2026-02-02","date_fin":"2026-02-01"}]""", RefusalReason.BadDate)]
    [InlineData("medecins_traitants", """[{"numero_am":"12345678"}]""", RefusalReason.WrongType)]
    [InlineData("medecins_traitants", """[{"numero_am":"12345678A"}]""", RefusalReason.WrongType)]
    [InlineData("medecins_traitants", """[{"numero_am":"١23456789"}]""", RefusalReason.WrongType)]
    [InlineData("medecins_traitants", """[{"date_debut":"2026-02-02","date_fin":"2026-02-01"}]""", RefusalReason.BadDate)]
    [InlineData("nir", "\"2780275108006\"", RefusalReason.WrongNir)]
    [InlineData("nir", "null", RefusalReason.MissingPart)]
    [InlineData("famille", "\"F2\"", RefusalReason.WrongFamille)]
    [InlineData("version", "4", RefusalReason.OlderVersion)]
    [InlineData("caisse", "[]", RefusalReason.WrongType)]
    public void Refuses_rights_with_a_wrong_part(string part, string value, RefusalReason reason) =>
        AssertRefused(reason, () => Droits(Parts(part, value)));

    [Theory]
    [InlineData("famille")]
    [InlineData("nir")]
    [InlineData("version")]
    [InlineData("contrats")]
    [InlineData("exonerations")]
    [InlineData("medecins_traitants")]
    public void Refuses_rights_without_a_mandatory_part(string part) =>
        AssertRefused(RefusalReason.MissingPart, () => Droits(Parts(part, null)));

    [Fact]
    public void Accepts_rights_without_a_caisse()
    {
        Assert.Null(Droits(Parts("caisse", null)).Caisse);
        Assert.Null(Droits(Parts("caisse", "null")).Caisse);
    }

    private static string Parts(string changed, string? value)
    {
        var parts = new Dictionary<string, string>
        {
            ["famille"] = "\"F1\"",
            ["nir"] = $"\"{Number}\"",
            ["version"] = "9",
            ["caisse"] = "{}",
            ["contrats"] = "[]",
            ["exonerations"] = "[]",
            ["medecins_traitants"] = "[]",
        };
        parts.Remove(changed);
        if (value is not null)
            parts[changed] = value;
        return "{" + string.Join(',', parts.Select(part => $"\"{part.Key}\":{part.Value}")) + "}";
    }

    private static void AssertRefused(RefusalReason reason, Func<object> read)
    {
        var refused = Assert.Throws<RefusedAnswerException>(read);
        Assert.Equal(reason, refused.Reason);
    }

    private static Composition Composition(string body) => SiPayload.ReadComposition(Utf8(body), "F1", 5);

    private static DroitsBeneficiaire Droits(string body) => SiPayload.ReadDroits(Utf8(body), "F1", User, 5);

    private static ReadOnlyMemory<byte> Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
