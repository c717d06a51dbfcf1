using DroitsAmeli.Grains.FranceConnect;
using Xunit;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

public sealed class AcrTests
{
    [Theory]
    [InlineData("eidas1", AcrLevel.Eidas1)]
    [InlineData("eidas2", AcrLevel.Eidas2)]
    [InlineData("eidas3", AcrLevel.Eidas3)]
    [InlineData("eidas3 eidas2", AcrLevel.Eidas2)]
    [InlineData("eidas1 eidas2 eidas3", AcrLevel.Eidas1)]
    [InlineData("eidas2 eidas2", AcrLevel.Eidas2)]
    public void Counts_the_lowest(string acr, AcrLevel expected) => Assert.Equal(expected, Acr.LowestOf(acr));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("eidas4")]
    [InlineData("eidas0")]
    [InlineData("EIDAS1")]
    [InlineData("eidas1,eidas2")]
    [InlineData("eidas1  eidas2")]
    [InlineData("eidas1 ")]
    [InlineData(" eidas1")]
    [InlineData("eidas3 https://refeds.org/profile/mfa")]
    [InlineData("eidas1\teidas2")]
    public void Knows_nothing_below_an_unknown_level(string? acr) => Assert.Null(Acr.LowestOf(acr));
}
