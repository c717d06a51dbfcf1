using DroitsAmeli.Api.Callers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Callers;

public sealed class CredentialTests
{
    [Fact]
    public void No_header_is_absent()
    {
        Assert.Equal(CredentialState.Absent, ApiKey.Read(new HeaderDictionary()).State);
        Assert.Equal(CredentialState.Absent, BearerToken.Read(new HeaderDictionary()).State);
    }

    [Theory]
    [InlineData("X-API-Key")]
    [InlineData("x-api-key")]
    [InlineData("X-Api-Key")]
    public void The_key_is_read_whatever_the_case_of_the_header(string name)
    {
        var key = ApiKey.Read(new HeaderDictionary { [name] = "a key ~" });
        Assert.Equal((CredentialState.Given, "a key ~"), (key.State, key.Value));
        Assert.DoesNotContain("key ~", $"{key}", StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_is_one_header_of_printable_ascii_and_256_characters_at_most()
    {
        Assert.Equal(CredentialState.Given, Key(new string('k', 256)).State);
        Assert.Equal(CredentialState.Invalid, Key(new string('k', 257)).State);
        Assert.Equal(CredentialState.Invalid, Key("k", "k").State);
        Assert.Equal(CredentialState.Invalid, Key("clé").State);
        Assert.Equal(CredentialState.Invalid, Key("a\tb").State);
        Assert.Equal(CredentialState.Absent, Key("").State);
    }

    [Theory]
    [InlineData("Bearer abc-._~+/09AZ==", "abc-._~+/09AZ==")]
    [InlineData("bEARER abc", "abc")]
    [InlineData("Bearer   abc", "abc")]
    [InlineData("Bearer YWJj", "YWJj")]
    public void Reads_a_token_to_the_letter(string header, string expected)
    {
        var token = Bearer(header);
        Assert.Equal((CredentialState.Given, expected), (token.State, token.Value));
        Assert.DoesNotContain(expected, $"{token}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearerabc")]
    [InlineData("Bearer\tabc")]
    [InlineData("Basic abc")]
    [InlineData("abc")]
    [InlineData("Bearer a b")]
    [InlineData("Bearer a,b")]
    [InlineData("Bearer a=b")]
    [InlineData("Bearer =")]
    [InlineData("Bearer é")]
    [InlineData("Bearer a\"b")]
    [InlineData("Bearer abc ")]
    [InlineData(" Bearer abc")]
    public void Refuses_anything_else(string header) => Assert.Equal(CredentialState.Invalid, Bearer(header).State);

    [Fact]
    public void Refuses_two_headers_and_more_than_4_KiB()
    {
        Assert.Equal(CredentialState.Invalid, Bearer("Bearer a", "Bearer a").State);
        Assert.Equal(CredentialState.Given, Bearer("Bearer " + new string('a', 4096)).State);
        Assert.Equal(CredentialState.Invalid, Bearer("Bearer " + new string('a', 4097)).State);
    }

    private static Credential Key(params string[] values) => ApiKey.Read(new HeaderDictionary { ["X-API-Key"] = values });

    private static Credential Bearer(params string[] values) => BearerToken.Read(new HeaderDictionary { ["Authorization"] = values });
}
