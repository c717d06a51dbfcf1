using System.Text.Json.Nodes;
using DroitsAmeli.Grains.FranceConnect;
using Xunit;
using static DroitsAmeli.Tests.Rules.FranceConnect.FakeFranceConnect;

namespace DroitsAmeli.Tests.Rules.FranceConnect;

public sealed class IntrospectionVerifierTests
{
    [Theory]
    [InlineData("ECDH-ES", "ES256")]
    [InlineData("ECDH-ES", "RS256")]
    [InlineData("RSA-OAEP-256", "ES256")]
    [InlineData("RSA-OAEP-256", "RS256")]
    [InlineData("RSA-OAEP", "ES256")]
    [InlineData("RSA-OAEP", "RS256")]
    public async Task Believes_an_honest_answer(string encryptedAlg, string signedAlg)
    {
        using var fc = new FakeFranceConnect(encryptedAlg, signedAlg);

        var verdict = await fc.Verify(fc.Answer());

        Assert.Null(verdict.Failed);
        Assert.Equal(JetonOutcome.Active, verdict.Answer.Outcome);
        var introspection = verdict.Answer.Introspection!;
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(fc.Now + 55), introspection.ExpiresAt);
        Assert.Equal(("eidas1", "droits_assurance_maladie", "hopital-un", new string('a', 64) + "v1"),
            (introspection.Acr, introspection.Scope, introspection.ServiceProvider, introspection.Subject));
        var identite = verdict.Answer.Identite!;
        Assert.Equal(("female", "DURAND", "Anne Lise", "1980-05-12", "75112", "99100"),
            (identite.Gender, identite.FamilyName, identite.GivenName, identite.Birthdate, identite.Birthplace, identite.Birthcountry));
        Assert.Equal(["Anne Lise"], identite.GivenNameArray);
    }

    [Theory]
    [InlineData("RSA-OAEP-256", "RSA-OAEP")]
    [InlineData("RSA-OAEP", "RSA-OAEP-256")]
    [InlineData("RSA-OAEP-256", "RSA1_5")]
    public async Task Refuses_another_rsa_encryption_than_the_registered_one(string registered, string sent)
    {
        using var fc = new FakeFranceConnect(registered);
        var text = EncryptRsa(fc.Sign(fc.Claims().ToJsonString()), registered, OurRsa, h => h["alg"] = sent);

        Assert.Equal(IntrospectionCheck.JweHeader, (await fc.Verify(text)).Failed);
        Assert.Equal(IntrospectionCheck.JweHeader, (await fc.Verify(EncryptEc(fc.Sign(fc.Claims().ToJsonString())))).Failed);
    }

    [Fact]
    public async Task Refuses_an_ephemeral_key_beside_rsa_encryption()
    {
        using var fc = new FakeFranceConnect("RSA-OAEP-256");
        var text = EncryptRsa(fc.Sign(fc.Claims().ToJsonString()), "RSA-OAEP-256", OurRsa, h => h["epk"] = Jwk(StrangerEc, false));

        Assert.Equal(IntrospectionCheck.JweHeader, (await fc.Verify(text)).Failed);
    }

    [Fact]
    public async Task Checks_in_the_documented_order()
    {
        using var fc = new FakeFranceConnect();
        // Each answer repairs the first fault of the former one and keeps all later faults.
        Action<JsonObject> wrongExp = c => c["exp"] = fc.Now - 1;
        Action<JsonObject> wrongToken = c => { wrongExp(c); c["jti"] = "autre"; };
        Action<JsonObject> wrongActive = c => { wrongToken(c); c["active"] = "true"; };
        Action<JsonObject> wrongIat = c => c["iat"] = fc.Now - 61;
        Action<JsonObject> wrongAud = c => { wrongIat(c); c["aud"] = "autre"; };
        Action<JsonObject> wrongIss = c => { wrongAud(c); c["iss"] = "autre"; };
        var all = fc.Claims(wrongIss, wrongActive).ToJsonString();
        var unsigned = Jws(new JsonObject { ["alg"] = "ES256", ["kid"] = EcKid }.ToJsonString(), Bytes(all), Es256(StrangerEc));
        var unpinned = Jws(new JsonObject { ["alg"] = "none", ["kid"] = EcKid }.ToJsonString(), Bytes(all), Es256(StrangerEc));
        string[] answers =
        [
            EncryptEc(unpinned, h => h["zip"] = "DEF", StrangerEc),
            EncryptEc(unpinned, recipient: StrangerEc),
            EncryptEc(unpinned),
            EncryptEc(unsigned),
            fc.Answer("[" + all + "]"),
            fc.Answer(all),
            fc.Answer(wrongAud, wrongActive),
            fc.Answer(wrongIat, wrongActive),
            fc.Answer(null, wrongActive),
            fc.Answer(null, wrongToken),
            fc.Answer(null, wrongExp),
        ];

        var failed = new List<IntrospectionCheck>();
        foreach (var answer in answers)
            failed.Add((await fc.Verify(answer)).Failed!.Value);

        Assert.Equal(Enum.GetValues<IntrospectionCheck>(), failed);
    }

    [Theory]
    [InlineData(-60)]
    [InlineData(60)]
    public async Task Accepts_a_clock_a_minute_off(int seconds)
    {
        using var fc = new FakeFranceConnect();

        Assert.Equal(JetonOutcome.Active, (await fc.Verify(fc.Answer(c => c["iat"] = fc.Now + seconds))).Answer.Outcome);
    }

    [Fact]
    public async Task Believes_a_token_to_its_last_second_only()
    {
        using var fc = new FakeFranceConnect();
        var answer = fc.Answer(inner: c => c["exp"] = fc.Now + 1);

        fc.Time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(JetonOutcome.Active, (await fc.Verify(answer)).Answer.Outcome);
        fc.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(JetonOutcome.Inactive, (await fc.Verify(answer)).Answer.Outcome);
    }

    [Fact]
    public async Task Inactive_is_inactive_whatever_stands_beside_it()
    {
        using var fc = new FakeFranceConnect();

        var bare = await fc.Verify(fc.Answer(c => c["token_introspection"] = new JsonObject { ["active"] = false }));
        var full = await fc.Verify(fc.Answer(inner: c => (c["active"], c["exp"], c["jti"]) = (false, "jamais", 1)));

        Assert.Equal((JetonOutcome.Inactive, IntrospectionCheck.Active), (bare.Answer.Outcome, bare.Failed));
        Assert.Equal((JetonOutcome.Inactive, IntrospectionCheck.Active), (full.Answer.Outcome, full.Failed));
    }

    [Fact]
    public async Task Accepts_what_other_implementations_add()
    {
        using var fc = new FakeFranceConnect();
        var jws = Jws(new JsonObject { ["typ"] = "token-introspection+jwt", ["alg"] = "ES256", ["kid"] = EcKid }.ToJsonString(),
            Bytes(fc.Claims(c => c["jti"] = "x", c => (c["client_id"], c["extra"]) = ("x", new JsonObject())).ToJsonString()), Es256(FcEc));

        Assert.Equal(JetonOutcome.Active, (await fc.Verify(EncryptEc(jws, h => (h["kid"], h["cty"], h["typ"]) = ("k", "JWT", "JWT")))).Answer.Outcome);
    }

    [Fact]
    public async Task Accepts_an_empty_scope_and_a_birth_abroad()
    {
        using var fc = new FakeFranceConnect();

        var verdict = await fc.Verify(fc.Answer(inner: c => { c["scope"] = ""; c["birthcountry"] = "99350"; c.Remove("birthplace"); c.Remove("given_name_array"); }));

        Assert.Equal(("", null, null), (verdict.Answer.Introspection!.Scope, verdict.Answer.Identite!.Birthplace, verdict.Answer.Identite.GivenNameArray));
    }

    [Theory]
    [InlineData("ECDH-ES")]
    [InlineData("RSA-OAEP-256")]
    public async Task Tries_every_private_key_of_the_algorithm(string alg)
    {
        JsonObject[] keys = alg == "ECDH-ES"
            ? [Enc(Jwk(NewEc(), true), alg, "new"), Jwk(OurRsa, true), Enc(Jwk(OurEc, true), alg, "old")]
            : [Enc(Jwk(NewRsa(), true), alg, "new"), Jwk(OurEc, true), Enc(Jwk(OurRsa, true), alg, "old")];
        using var fc = new FakeFranceConnect(alg, "ES256", keys);

        Assert.Equal(JetonOutcome.Active, (await fc.Verify(fc.Answer())).Answer.Outcome);
    }

    [Fact]
    public async Task Takes_new_private_keys_while_running_and_never_a_broken_file()
    {
        using var fc = new FakeFranceConnect("ECDH-ES", "ES256", Jwk(StrangerEc, true));
        Assert.Equal(IntrospectionCheck.Decryption, (await fc.Verify(fc.Answer())).Failed);

        await File.WriteAllTextAsync(fc.KeysPath, Set(Jwk(OurEc, true), Jwk(StrangerEc, true)).ToJsonString(), TestContext.Current.CancellationToken);
        fc.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(JetonOutcome.Active, (await fc.Verify(fc.Answer())).Answer.Outcome);

        foreach (var broken in (string[])["", "{", "{\"keys\":[]}", Set(Jwk(OurEc, false)).ToJsonString()])
        {
            await File.WriteAllTextAsync(fc.KeysPath, broken, TestContext.Current.CancellationToken);
            fc.Time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(JetonOutcome.Active, (await fc.Verify(fc.Answer())).Answer.Outcome);
        }

        File.Delete(fc.KeysPath);
        fc.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(JetonOutcome.Active, (await fc.Verify(fc.Answer())).Answer.Outcome);
    }
}
