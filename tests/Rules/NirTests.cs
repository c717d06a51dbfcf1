using DroitsAmeli.Grains.Droits;
using Xunit;

namespace DroitsAmeli.Tests.Rules;

public sealed class NirTests
{
    [Theory]
    [InlineData("2780275108005", 55)]
    [InlineData("191022A115012", 84)]
    [InlineData("284052B321025", 79)]
    [InlineData("2840588321057", 97)]
    [InlineData("2840588321056", 1)]
    public void Computes_the_key(string number, int key)
    {
        Assert.True(Nir.TryParse(number, out var nir));
        Assert.Equal(key, nir.Key);
        Assert.True(Nir.TryParse($"{number}{key:00}", out var withKey));
        Assert.Equal(nir, withKey);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("278027510800")]
    [InlineData("27802751080055")]
    [InlineData("278027510800500")]
    [InlineData("278027510800554")]
    [InlineData("0780275108005")]
    [InlineData("9780275108005")]
    [InlineData("2780075108005")]
    [InlineData("2781375108005")]
    [InlineData("2781975108005")]
    [InlineData("2780200108005")]
    [InlineData("278022C108005")]
    [InlineData("27802A5108005")]
    [InlineData("278027510800A")]
    [InlineData("٢780275108005")]
    [InlineData("2780275108005\t")]
    public void Refuses(string? text) => Assert.False(Nir.TryParse(text, out _));

    [Theory]
    [InlineData(" 2 78 02 75 108 005 55 ", "2780275108005")]
    [InlineData("191022a115012", "191022A115012")]
    [InlineData("1912012345678", "1912012345678")]
    [InlineData("8809999100001", "8809999100001")]
    public void Accepts(string text, string expected)
    {
        Assert.True(Nir.TryParse(text, out var nir));
        Assert.Equal(expected, nir.Value);
    }

    [Fact]
    public void Text_form_shows_nothing()
    {
        Assert.True(Nir.TryParse("2780275108005", out var nir));
        Assert.DoesNotContain("278", $"{nir}", StringComparison.Ordinal);
    }
}
