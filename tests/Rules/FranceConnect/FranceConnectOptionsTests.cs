using System.Text.Json.Nodes;
using DroitsAmeli.Api.FranceConnect;
using DroitsAmeli.Grains.FranceConnect;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;
using static DroitsAmeli.Tests.Rules.FranceConnect.FakeFranceConnect;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

public sealed class FranceConnectOptionsTests : IDisposable
{
    private readonly string file = Path.GetTempFileName();

    public FranceConnectOptionsTests() => File.WriteAllText(file, Set(Jwk(OurEc, true)).ToJsonString());

    public void Dispose() => File.Delete(file);

    private void Start(params (string Name, string? Value)[] changes)
    {
        var settings = new Dictionary<string, string?>
        {
            ["FranceConnect:Issuer"] = Issuer, ["FranceConnect:ClientId"] = ClientId, ["FranceConnect:ClientSecret"] = "s", ["FranceConnect:PrivateJwksFile"] = file,
        };
        foreach (var (name, value) in changes)
            settings["FranceConnect:" + name] = value;
        var services = new ServiceCollection().AddLogging();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        services.AddFranceConnect(configuration).AddPublicJwks(configuration);
        using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<IStartupValidator>().Validate();
        Assert.NotNull(provider.GetRequiredService<FranceConnectClient>());
    }

    [Fact]
    public void Four_settings_are_enough() => Start();

    [Fact]
    public void Every_setting_is_read() => Start(
        ("ChecktokenEndpoint", "https://fc.exemple.fr/ailleurs"), ("JwksEndpoint", "http://localhost/jwks"), ("SignedResponseAlg", "RS256"),
        ("EncryptedResponseAlg", "ECDH-ES"), ("EncryptedResponseEnc", "A256GCM"), ("TimeoutSeconds", "2.5"), ("MinimumAcr", "eidas2"), ("PublicJwksFile", file));

    [Theory]
    [InlineData("http://127.0.0.1:8081/api/v2")]
    [InlineData("http://localhost:8081/api/v2")]
    [InlineData("http://[::1]:8081/api/v2")]
    public void Http_is_accepted_for_loopback(string issuer) => Start(("Issuer", issuer));

    [Theory]
    [InlineData("Issuer", null)]
    [InlineData("Issuer", "fc.exemple.fr")]
    [InlineData("Issuer", "http://fc.exemple.fr/api/v2")]
    [InlineData("Issuer", "http://127.0.0.1.exemple.fr/api/v2")]
    [InlineData("Issuer", "ftp://fc.exemple.fr")]
    [InlineData("Issuer", "https://u:p@fc.exemple.fr")]
    [InlineData("ChecktokenEndpoint", "http://fc.exemple.fr/checktoken")]
    [InlineData("JwksEndpoint", "/jwks")]
    [InlineData("ClientId", null)]
    [InlineData("ClientSecret", "")]
    [InlineData("SignedResponseAlg", "HS256")]
    [InlineData("SignedResponseAlg", "none")]
    [InlineData("EncryptedResponseAlg", "RSA1_5")]
    [InlineData("EncryptedResponseEnc", "A128GCM")]
    [InlineData("TimeoutSeconds", "0")]
    [InlineData("TimeoutSeconds", "8")]
    [InlineData("TimeoutSeconds", "trois")]
    [InlineData("PrivateJwksFile", null)]
    [InlineData("PrivateJwksFile", "/no/such/file")]
    [InlineData("PublicJwksFile", "/no/such/file")]
    [InlineData("MinimumAcr", "eidas9")]
    public void A_wrong_setting_is_named(string name, string? value)
    {
        var failure = Assert.ThrowsAny<Exception>(() => Start((name, value)));

        Assert.Contains($"FranceConnect:{name}", failure.ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<string, string, string> BadKeyFiles()
    {
        var mismatch = Jwk(OurEc, true);
        mismatch["d"] = B64(StrangerEc.D);
        var mixed = Jwk(OurRsa, true);
        mixed["n"] = B64(FcRsa.Modulus);
        var short384 = Jwk(OurEc, true);
        short384["crv"] = "P-384";
        var noPrimes = Jwk(OurRsa, true);
        noPrimes.Remove("p");
        return new TheoryData<string, string, string>
        {
            { "empty", "ECDH-ES", "" },
            { "not a set", "ECDH-ES", Jwk(OurEc, true).ToJsonString() },
            { "no key", "ECDH-ES", Set().ToJsonString() },
            { "public only", "ECDH-ES", Set(Jwk(OurEc, false)).ToJsonString() },
            { "private part of another key", "ECDH-ES", Set(mismatch).ToJsonString() },
            { "another curve", "ECDH-ES", Set(short384).ToJsonString() },
            { "only rsa", "ECDH-ES", Set(Jwk(OurRsa, true)).ToJsonString() },
            { "only elliptic", "RSA-OAEP-256", Set(Jwk(OurEc, true)).ToJsonString() },
            { "small rsa", "RSA-OAEP-256", Set(Jwk(NewRsa(1024), true)).ToJsonString() },
            { "rsa modulus of another key", "RSA-OAEP-256", Set(mixed).ToJsonString() },
            { "rsa without primes", "RSA-OAEP-256", Set(noPrimes).ToJsonString() },
            { "for signing", "ECDH-ES", Set(Sig(Jwk(OurEc, true), "ES256", "k")).ToJsonString() },
            { "keys are text", "ECDH-ES", new JsonObject { ["keys"] = new JsonArray("k") }.ToJsonString() },
        };
    }

    [Theory]
    [MemberData(nameof(BadKeyFiles))]
    public void A_wrong_key_file_is_named_and_not_quoted(string why, string alg, string content)
    {
        File.WriteAllText(file, content);

        var failure = Assert.ThrowsAny<Exception>(() => Start(("EncryptedResponseAlg", alg)));

        Assert.Contains("FranceConnect:PrivateJwksFile", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(B64(OurEc.D), failure.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(why);
    }
}
