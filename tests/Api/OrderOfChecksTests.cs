using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>A call that is wrong in several ways gets the first of the contract's checks.</summary>
[Collection(ConventionsCollection.Name)]
public sealed class OrderOfChecksTests(ConventionsBench bench)
{
    [Fact]
    public async Task The_first_check_that_fails_answers()
    {
        var wrongInEveryWay = new Call("/nulle-part?dateDebut=hier") { Method = HttpMethod.Post, Key = null, Authorization = "Bearer a b", Nir = "1" };
        await Expect(wrongInEveryWay, "chemin_inconnu");
        var reserved = wrongInEveryWay with { Path = "/medecin-traitant?dateDebut=hier" };
        await Expect(reserved, "methode_refusee");
        reserved = reserved with { Method = HttpMethod.Get };
        await Expect(reserved with { Content = new StringContent("x") }, "corps_refuse");
        await Expect(reserved, "cle_api_absente");
        await Expect(reserved with { Key = "cle-inconnue" }, "cle_api_invalide");
        await Expect(reserved with { Key = "cle-suspendue" }, "convention_non_eligible");

        await UseUpSmallQuota();
        var used = reserved with { Key = TestPartners.PetitQuota.Key };
        await Expect(used with { Key = "cle-petit-quota", Authorization = null }, "jeton_absent");
        await Expect(used, "jeton_invalide");
        var inactive = used with { Authorization = "Bearer inconnu" };
        await Expect(inactive, "quota_depasse");

        inactive = inactive with { Key = TestPartners.Refusees.Key };
        await Expect(inactive, "donnee_reservee");
        await Expect(inactive with { Path = "/caisse?dateDebut=hier" }, "date_invalide");
        await Expect(inactive with { Path = "/caisse?dateDebut=hier", Nir = null }, "date_invalide");
        await Expect(inactive with { Path = "/caisse", Nir = null }, "nir_absent");
        await Expect(inactive with { Path = "/caisse" }, "nir_invalide");
        var wellFormed = inactive with { Path = "/caisse", Nir = bench.Nir("andre-roux") };
        await Expect(wellFormed, "jeton_invalide");

        var unknown = wellFormed with { Authorization = null };
        await Expect(unknown with { Token = await bench.Token("ines-inconnue", scope: "", acr: "eidas0") }, "niveau_insuffisant");
        await Expect(unknown with { Token = await bench.Token("ines-inconnue", scope: "") }, "scope_insuffisant");
        await Expect(unknown with { Token = await bench.Token("ines-inconnue") }, "jeton_autre_partenaire");
        await Expect(unknown with { Token = await bench.Token("ines-inconnue", TestPartners.Refusees) }, "identite_non_rattachee");
        await Expect(unknown with { Token = await bench.Token("alice-martin", TestPartners.Refusees) }, "beneficiaire_inconnu");
    }

    [Fact]
    public async Task A_refused_convention_is_told_so_even_when_the_call_has_nothing_else() =>
        (await new Call("/caisse") { Key = "cle-finie" }.Send(bench)).Is("convention_non_eligible");

    private async Task UseUpSmallQuota()
    {
        bench.Clock.JumpToNextMinute();
        for (var call = 0; call < 3; call++)
            (await new Call { Key = TestPartners.PetitQuota.Key }.Send(bench)).Is("jeton_absent");
    }

    private async Task Expect(Call call, string code) => (await call.Send(bench)).Is(code);
}
