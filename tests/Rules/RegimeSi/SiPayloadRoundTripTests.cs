using System.Collections;
using System.Reflection;
using System.Text;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.RegimeSi;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

/// <summary>A property of the contract's records that the SI's answers are not read into would never be emitted, and nobody would notice.</summary>
public sealed class SiPayloadRoundTripTests
{
    private const string Nir = "2780275108005";

    private const string Composition = $$"""
        { "famille": "F", "version": 3, "beneficiaires": [ {
            "date_naissance": "1978-02-03", "nir": "{{Nir}}", "nom_famille": "a", "nom_usage": "b", "prenom": "c", "qualite": "assure",
            "rang_naissance": 1, "date_deces": "2026-01-01", "restrictions": ["x"],
            "rattachement": { "date_debut": "2020-01-01", "date_fin": "2030-01-01" },
            "presences": {
              "amc": [ { "date_debut": "2020-01-01", "date_fin": "2030-01-01" } ],
              "medecin_traitant": [ { "date_debut": "2020-01-01", "date_fin": "2030-01-01" } ] } } ] }
        """;

    private const string Droits = $$"""
        { "famille": "F", "nir": "{{Nir}}", "version": 3,
          "caisse": { "codeCentre": "1", "grandRegime": "01", "id": "01261", "libelle": "l", "organisme": "o", "adresse": {
            "code_postal": "1", "commune": "2", "complement_adresse": "3", "destinataire": "4", "indice_repetition": "5",
            "mention_distribution": "6", "nom_voie": "7", "numero_voie": "8", "point_remise": "9", "type_voie": "10" } },
          "contrats": [ { "nature_assurance": "AMO", "details": { "code_type_contrat": "BASE", "libelle_type_contrat": "l" },
            "date_debut": "2020-01-01", "date_fin": "2030-01-01",
            "periodes_droits": [ { "date_debut": "2020-01-01", "date_fin": "2030-01-01" } ] } ],
          "exonerations": [ { "date_debut": "2020-01-01", "date_fin": "2030-01-01",
            "maternite": { "date_presumee_grossesse": "2026-01-01", "date_reelle_accouchement": "2026-02-01" },
            "motif": { "code": "MAT", "libelle": "l", "libelle_long": "ll" } } ],
          "medecins_traitants": [ { "date_debut": "2020-01-01", "date_fin": "2030-01-01", "nom": "n", "numero_am": "123456789", "prenom": "p" } ] }
        """;

    [Fact]
    public void Every_property_of_a_composition_is_read() => AssertComplete(
        SiPayload.ReadComposition(Encoding.UTF8.GetBytes(Composition), "F", 0),
        nameof(Beneficiaire.MedecinTraitantChoisi),
        nameof(Beneficiaire.PresenceCmucAcs));

    [Fact]
    public void Every_property_of_the_rights_is_read()
    {
        Assert.True(Grains.Droits.Nir.TryParse(Nir, out var nir));
        AssertComplete(SiPayload.ReadDroits(Encoding.UTF8.GetBytes(Droits), "F", nir, 0));
    }

    private static void AssertComplete(object record, params string[] computed)
    {
        foreach (var property in record.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetIndexParameters().Length > 0 || computed.Contains(property.Name))
                continue;

            var value = property.GetValue(record);
            Assert.True(value is not null, $"{record.GetType().Name}.{property.Name} is not read from the SI's answer.");
            if (value is not string && value is IEnumerable list)
            {
                Assert.True(list.Cast<object>().Any(), $"{record.GetType().Name}.{property.Name} is not read from the SI's answer.");
                foreach (var item in list.Cast<object>().Where(IsRecord))
                    AssertComplete(item, computed);
            }
            else if (IsRecord(value!))
            {
                AssertComplete(value!, computed);
            }
        }
    }

    private static bool IsRecord(object value) => value.GetType().Assembly == typeof(Membre).Assembly && value is not (Grains.Droits.Nir or Enum);
}
