using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using DroitsAmeli.Api.FranceConnect;
using DroitsAmeli.Grains.FranceConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using static DroitsAmeli.Tests.Rules.FranceConnect.FakeFranceConnect;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

public sealed class PublicJwksTests : IDisposable
{
    private static readonly string[] PublicMembers = ["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"];

    private readonly string file = Path.GetTempFileName();

    public void Dispose() => File.Delete(file);

    private static JsonArray Render(JsonObject set, string alg = "ECDH-ES") =>
        JsonNode.Parse(PublicJwkSet.Render(Encoding.UTF8.GetBytes(set.ToJsonString()), alg))!["keys"]!.AsArray();

    [Fact]
    public void No_private_member_ever_leaves()
    {
        var chatty = Enc(Jwk(OurEc, true), "ECDH-ES", "chatty");
        foreach (var name in (string[])["k", "oth", "r", "t", "p", "q", "secret", "D", "x5c", "key_ops"])
            chatty[name] = "PRIVATE";
        var set = Set(chatty, Jwk(OurRsa, true), Enc(new JsonObject { ["kty"] = "oct", ["k"] = "PRIVATE" }, "dir", "shared"), new JsonObject { ["kty"] = "OKP", ["crv"] = "X25519", ["x"] = "AAAA", ["d"] = "PRIVATE" });

        var keys = Render(set);

        Assert.Equal(2, keys.Count);
        Assert.All(keys, k => Assert.Subset(PublicMembers.ToHashSet(), k!.AsObject().Select(m => m.Key).ToHashSet()));
        var text = keys.ToJsonString();
        Assert.DoesNotContain("PRIVATE", text, StringComparison.Ordinal);
        foreach (var secret in (byte[]?[])[OurEc.D, OurRsa.D, OurRsa.P, OurRsa.Q, OurRsa.DP, OurRsa.DQ, OurRsa.InverseQ])
            Assert.DoesNotContain(B64(secret), text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ECDH-ES", "ec-new")]
    [InlineData("RSA-OAEP-256", "rsa-256")]
    [InlineData("RSA-OAEP", "rsa-1")]
    public void The_key_FranceConnect_takes_is_the_first_of_the_registered_algorithm(string alg, string kid)
    {
        var set = Set(
            Sig(Jwk(FcEc, true), "ES256", "not for this"), Enc(Jwk(NewRsa(), true), "RSA-OAEP-256", "rsa-256"), Enc(Jwk(NewEc(), true), "ECDH-ES", "ec-new"),
            Enc(Jwk(OurEc, true), "ECDH-ES", "ec-old"), Enc(Jwk(OurRsa, true), "RSA-OAEP", "rsa-1"));

        var first = Render(set, alg)[0]!;

        Assert.Equal((kid, "enc", alg), ((string?)first["kid"], (string?)first["use"], (string?)first["alg"]));
    }

    [Fact]
    public void Use_and_algorithm_are_added_to_a_key_that_names_none()
    {
        var only = Assert.Single(Render(Set(Jwk(OurEc, true))))!;

        Assert.Equal(("enc", "ECDH-ES"), ((string?)only["use"], (string?)only["alg"]));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("")]
    [InlineData("{\"keys\":[]}")]
    [InlineData("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}")]
    public void A_file_without_a_usable_key_is_refused(string text) =>
        Assert.Throws<FormatException>(() => PublicJwkSet.Render(Encoding.UTF8.GetBytes(text), "ECDH-ES"));

    [Fact]
    public async Task Is_served_to_anybody_and_follows_the_file()
    {
        var ct = TestContext.Current.CancellationToken;
        await File.WriteAllTextAsync(file, Set(Enc(Jwk(OurEc, true), "ECDH-ES", "one")).ToJsonString(), ct);
        var time = new FakeTimeProvider();
        await using var app = Serve(file, time);
        await app.StartAsync(ct);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };

        using (var response = await http.GetAsync("/.well-known/jwks.json", ct))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("application/jwk-set+json", response.Content.Headers.ContentType!.MediaType);
            var body = await response.Content.ReadAsStringAsync(ct);
            Assert.Contains("\"one\"", body, StringComparison.Ordinal);
            Assert.DoesNotContain("\"d\"", body, StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(file, Set(Enc(Jwk(NewEc(), true), "ECDH-ES", "two"), Enc(Jwk(OurEc, true), "ECDH-ES", "one")).ToJsonString(), ct);
        time.Advance(TimeSpan.FromSeconds(1));
        var rotated = JsonNode.Parse(await http.GetStringAsync("/.well-known/jwks.json", ct))!;
        Assert.Equal("two", (string?)rotated["keys"]![0]!["kid"]);

        await File.WriteAllTextAsync(file, "{", ct);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(rotated.ToJsonString(), JsonNode.Parse(await http.GetStringAsync("/.well-known/jwks.json", ct))!.ToJsonString());
    }

    internal static WebApplication Serve(string privateJwksFile, TimeProvider time, string alg = "ECDH-ES")
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(time);
        builder.Services.AddPublicJwks(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["FranceConnect:PrivateJwksFile"] = privateJwksFile, ["FranceConnect:EncryptedResponseAlg"] = alg,
        }).Build());
        var app = builder.Build();
        app.MapPublicJwks();
        return app;
    }
}
