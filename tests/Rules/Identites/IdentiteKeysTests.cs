using System.Security.Cryptography;
using DroitsAmeli.Grains.Identites;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Options;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Identites;

public sealed class IdentiteKeysTests : IDisposable
{
    private readonly string file = Path.GetTempFileName();

    public void Dispose() => File.Delete(file);

    /// <summary>Another key for the same person and the same secret: stored identities would be found by nobody, and silos of two versions would not meet.</summary>
    [Fact]
    public void A_person_has_the_key_that_the_first_version_gave()
    {
        File.WriteAllText(file, Convert.ToBase64String(SHA256.HashData("identities"u8)));
        var keys = new IdentiteKeys(Options.Create(new IdentitiesOptions { HmacKeyFile = file }));

        Assert.Equal("i-j2L0fADNGYji9cYtcdQ59NjJbg3EMpm4CbgudPO51Ds", keys.Of(new()
        {
            FamilyName = "DURAND", GivenNames = ["JEAN", "PAUL"], Gender = "male", Birthdate = "1980-01-05", Birthplace = "75108", Birthcountry = "99100",
        }));
        Assert.Equal("i-OEY8mUWVOZeO7XNGACRe2ZU8dWDZSFXkrpu873bqIng", keys.Of(new()
        {
            FamilyName = "ŁUKASZ 王", GivenNames = ["ZOË"], Gender = "unspecified", Birthdate = "1980", Birthplace = "", Birthcountry = "99122",
        }));
    }
}
