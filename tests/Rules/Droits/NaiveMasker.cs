using System.Text.Json.Nodes;

namespace DroitsAmeli.Tests.Rules.Droits;

/// <summary>
/// The contract's masking once more, written from its text alone, over plain JSON, with conditions instead of a table and nothing
/// in common with the code under test. Null: refused.
/// </summary>
internal static class NaiveMasker
{
    public static JsonNode? Mask(string path, JsonNode full, bool organisme, bool masquees, bool rattache, IReadOnlySet<string> scopes)
    {
        var all = scopes.Contains("droits_assurance_maladie");
        if (rattache && !all && !scopes.Contains("cnam_beneficiaires"))
            return null;

        switch (path)
        {
            case "/me/beneficiaires":
                if (!all && !scopes.Contains("cnam_beneficiaires"))
                    return null;
                return new JsonArray([.. full.AsArray().Select(person => Person(person!, all, scopes))]);

            case "/":
                var boolean = scopes.Contains("cnam_medecin_traitant") || scopes.Contains("cnam_presence_medecin_traitant");
                if (!all && !boolean && !scopes.Contains("cnam_beneficiaires"))
                    return null;
                return Person(full, all, scopes);

            case "/caisse":
                return all || scopes.Contains("cnam_caisse") ? full.DeepClone() : null;

            case "/contrats":
                if (!all && !scopes.Contains("cnam_contrats"))
                    return null;
                return new JsonArray([.. full.AsArray().Where(contrat => all || IsBaseRight(contrat!)).Select(contrat => Contrat(contrat!, organisme))]);

            case "/exonerations":
                if (organisme && !masquees)
                    return null;
                if (!all && !scopes.Contains("cnam_exonerations"))
                    return null;
                return new JsonArray([.. full.AsArray().Where(exoneration => IsShown(exoneration!, organisme, rattache)).Select(exoneration => Dates(exoneration!, organisme))]);

            case "/medecin-traitant":
                if (organisme)
                    return null;
                return all || scopes.Contains("cnam_medecin_traitant") ? full.DeepClone() : null;

            default:
                throw new ArgumentOutOfRangeException(nameof(path));
        }
    }

    private static JsonObject Person(JsonNode person, bool all, IReadOnlySet<string> scopes)
    {
        var copy = person.DeepClone().AsObject();
        if (all)
            return copy;

        copy.Remove("presence_CMUC_ACS");
        if (!scopes.Contains("cnam_medecin_traitant") && !scopes.Contains("cnam_presence_medecin_traitant"))
            copy.Remove("medecin_traitant_choisi");
        if (!scopes.Contains("cnam_beneficiaires"))
        {
            foreach (var name in new[] { "date_naissance", "nir", "nom_famille", "nom_usage", "prenom", "qualite", "rang_naissance" })
                copy.Remove(name);
        }

        return copy;
    }

    private static bool IsBaseRight(JsonNode contrat)
    {
        var code = (string?)contrat["details"]?["code_type_contrat"];
        return (string?)contrat["nature_assurance"] == "AMO" && code is not ("C2S" or "C2SP" or "CMUC" or "ACS_A" or "ACS_B" or "ACS_C");
    }

    private static JsonObject Contrat(JsonNode contrat, bool organisme)
    {
        var copy = contrat.DeepClone().AsObject();
        var code = (string?)contrat["details"]?["code_type_contrat"];
        if (organisme && code is not ("C2S" or "C2SP" or "CMUC" or "ACS_A" or "ACS_B" or "ACS_C"))
        {
            copy["nature_assurance"] = "AMO";
            copy["details"] = new JsonObject
            {
                ["code_type_contrat"] = "BASE",
                ["libelle_type_contrat"] = "Droits de base (contrat sans spécificité)",
            };
        }

        return copy;
    }

    private static bool IsShown(JsonNode exoneration, bool organisme, bool rattache)
    {
        if (!organisme && !rattache)
            return true;
        var code = (string?)exoneration["motif"]?["code"];
        if (exoneration["maternite"] is not null || code is null or "MAT" or "STE")
            return false;
        return !(organisme && code == "NE");
    }

    private static JsonObject Dates(JsonNode exoneration, bool organisme)
    {
        var copy = exoneration.DeepClone().AsObject();
        if (organisme)
        {
            copy.Remove("motif");
            copy.Remove("maternite");
        }

        return copy;
    }
}
