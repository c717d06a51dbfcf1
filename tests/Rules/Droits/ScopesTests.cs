using DroitsAmeli.Api.Droits;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Droits;

public sealed class ScopesTests
{
    [Theory]
    [InlineData(null, ScopePart.None)]
    [InlineData("", ScopePart.None)]
    [InlineData("openid profile birth", ScopePart.None)]
    [InlineData("cnam_caisse", ScopePart.Caisse)]
    [InlineData("  cnam_caisse   cnam_contrats ", ScopePart.Caisse | ScopePart.Contrats)]
    [InlineData("cnam_caisse cnam_caisse", ScopePart.Caisse)]
    [InlineData("openid cnam_beneficiaires cnam_exonerations", ScopePart.Beneficiaires | ScopePart.Exonerations)]
    [InlineData("cnam_medecin_traitant", ScopePart.MedecinTraitant)]
    [InlineData("cnam_presence_medecin_traitant", ScopePart.PresenceMedecinTraitant)]
    [InlineData("droits_assurance_maladie", ScopePart.Droits)]
    [InlineData("cnam_caisse droits_assurance_maladie", ScopePart.Droits)]
    public void Reads_the_cnam_scopes_and_ignores_the_others(string? text, ScopePart expected) =>
        Assert.Equal(expected, Scopes.Parse(text).Granted);

    [Theory]
    [InlineData("CNAM_CAISSE")]
    [InlineData("Droits_Assurance_Maladie")]
    [InlineData("droits_assurance_maladie2")]
    [InlineData("xcnam_caisse")]
    [InlineData("cnam_caisse,cnam_contrats")]
    [InlineData("cnam_caisse\tcnam_contrats")]
    [InlineData("cnam_caisse+cnam_contrats")]
    [InlineData("cnam_*")]
    public void Names_are_exact(string text) => Assert.Equal(ScopePart.None, Scopes.Parse(text).Granted);

    [Theory]
    [InlineData("droits_assurance_maladie", true)]
    [InlineData("cnam_beneficiaires", true)]
    [InlineData("cnam_caisse cnam_beneficiaires", true)]
    [InlineData("cnam_caisse cnam_contrats cnam_exonerations cnam_medecin_traitant cnam_presence_medecin_traitant", false)]
    [InlineData("", false)]
    public void Others_than_the_user_need_cnam_beneficiaires(string text, bool expected) =>
        Assert.Equal(expected, Scopes.Parse(text).MayAskForOthers);
}
