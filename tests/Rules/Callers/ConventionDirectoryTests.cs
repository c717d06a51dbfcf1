using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using DroitsAmeli.Api.Callers;
using DroitsAmeli.Api.Droits;
using DroitsAmeli.Grains.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Callers;

public sealed class ConventionDirectoryTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("conventions");
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 3, 10, 12, 0, 0, TimeSpan.Zero));
    private readonly ListLogger<ConventionDirectory> logger = new();

    private string Path => System.IO.Path.Combine(folder.FullName, "conventions.json");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Finds_both_live_keys_and_no_other()
    {
        using var directory = With(Hospital("chu", "old", "new"), Hospital("chru", "other"));
        Assert.Equal(("chu", ConventionLookupResult.Eligible), Seen(directory.Find("old")));
        Assert.Equal(("chu", ConventionLookupResult.Eligible), Seen(directory.Find("new")));
        Assert.Equal(("chru", ConventionLookupResult.Eligible), Seen(directory.Find("other")));
        Assert.Equal(new ConventionLookup(ConventionLookupResult.Unknown), directory.Find("New"));
        Assert.Equal(new ConventionLookup(ConventionLookupResult.Unknown), directory.Find(""));
    }

    [Fact]
    public void Reads_every_field()
    {
        var json = Hospital("mut", "k");
        json["type"] = "organisme_complementaire";
        json["exonerations"] = "masquees";
        json["clients_franceconnect"] = new JsonArray("fc1", "fc2");
        json["quota"] = new JsonObject { ["par_minute"] = 60, ["par_jour"] = 10_000 };
        json["cas_usage"] = "adhesion";
        json["debut"] = "2026-01-01";
        json["fin"] = "2026-12-31";
        json["ressources"] = new JsonArray("/me", "me/beneficiaires", "/", "caisse/", "getBeneficiairesNirContrats", "exonerations");
        json["age_maximal_minutes"] = 90;
        using var directory = With(json);

        var lookup = directory.Find("k");
        Assert.Equal(new Partner("mut", 60, 10_000), lookup.Partner);
        var convention = lookup.Convention!;
        Assert.Equal(CallerType.OrganismeComplementaire, convention.Type);
        Assert.Equal(ExonerationsRule.Masquees, convention.Exonerations);
        Assert.Equal(["fc1", "fc2"], convention.ClientsFranceConnect.Order());
        Assert.Equal(CasUsage.Adhesion, convention.CasUsage);
        Assert.Equal(TimeSpan.FromMinutes(90), convention.AgeMaximal);
        Assert.Equal(
            Enum.GetValues<Ressource>().Except([Ressource.MedecinTraitant]),
            convention.Ressources!.Order());
    }

    [Fact]
    public void Leaves_optional_fields_at_their_strictest_default()
    {
        var json = Hospital("chu", "k");
        json.Remove("exonerations");
        using var directory = With(json);
        var convention = directory.Find("k").Convention!;
        Assert.Equal(ExonerationsRule.Refusees, convention.Exonerations);
        Assert.Null(convention.Ressources);
        Assert.Null(convention.AgeMaximal);
        Assert.Null(convention.Fin);
    }

    [Theory]
    [InlineData("type", "\"laboratoire\"")]
    [InlineData("type", "1")]
    [InlineData("type", null)]
    [InlineData("nom", null)]
    [InlineData("nom", "\" \"")]
    [InlineData("active", null)]
    [InlineData("active", "\"true\"")]
    [InlineData("clients_franceconnect", null)]
    [InlineData("clients_franceconnect", "\"fc\"")]
    [InlineData("clients_franceconnect", "[1]")]
    [InlineData("exonerations", "\"ouvertes\"")]
    [InlineData("quota", "60")]
    [InlineData("quota", null)]
    [InlineData("quota", "{}")]
    [InlineData("quota.par_minute", "{\"par_minute\":0,\"par_jour\":9}")]
    [InlineData("quota.par_minute", "{\"par_minute\":null,\"par_jour\":9}")]
    [InlineData("quota.par_minute", "{\"par_jour\":9}")]
    [InlineData("quota.par_jour", "{\"par_minute\":7,\"par_jour\":\"many\"}")]
    [InlineData("quota.par_jour", "{\"par_minute\":7}")]
    [InlineData("quota.par_heure", "{\"par_minute\":5,\"par_jour\":10,\"par_heure\":3}")]
    [InlineData("quota.par_minutes", "{\"par_minutes\":5,\"par_jour\":10}")]
    [InlineData("cas_usage", "\"curiosite\"")]
    [InlineData("debut", "\"2026-02-30\"")]
    [InlineData("fin", "\"1/2/2026\"")]
    [InlineData("fin", "20261231")]
    [InlineData("ressources", "[\"dentiste\"]")]
    [InlineData("ressources", "\"me\"")]
    [InlineData("age_maximal_minutes", "0")]
    [InlineData("age_maximal_minutes", "4321")]
    [InlineData("age_maximal_minutes", "1.5")]
    [InlineData("exonerations", "null")]
    [InlineData("cas_usage", "null")]
    [InlineData("debut", "null")]
    [InlineData("fin", "null")]
    [InlineData("ressources", "null")]
    [InlineData("age_maximal_minutes", "null")]
    [InlineData("ressource", "[\"me\"]")]
    [InlineData("fins", "\"2026-12-31\"")]
    [InlineData("Fin", "\"2026-12-31\"")]
    public void A_value_nobody_knows_disables_that_convention_alone(string field, string? value)
    {
        var bad = Hospital("bad", "badkey");
        var property = field.Split('.')[0];
        bad.Remove(property);
        if (value is not null)
            bad[property] = JsonNode.Parse(value);
        using var directory = With(bad, Hospital("good", "goodkey"));

        Assert.Equal(("bad", ConventionLookupResult.Ineligible), Seen(directory.Find("badkey")));
        Assert.Null(directory.Find("badkey").Convention);
        Assert.Equal(("good", ConventionLookupResult.Eligible), Seen(directory.Find("goodkey")));
        var error = Assert.Single(logger.Errors);
        Assert.Contains("bad", error, StringComparison.Ordinal);
        Assert.Matches($"[ ,]{System.Text.RegularExpressions.Regex.Escape(field)}[,.]", error);
    }

    [Fact]
    public void A_name_that_may_hold_a_secret_is_not_logged()
    {
        var bad = Hospital("bad", "badkey");
        bad["2840326362990 Martin"] = 1;
        using var directory = With(bad);
        Assert.Equal(("bad", ConventionLookupResult.Ineligible), Seen(directory.Find("badkey")));
        Assert.DoesNotContain("Martin", logger.All, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_stay_known_beside_one_that_cannot_be_read()
    {
        var bad = Hospital("bad", "badkey");
        bad["cles_sha256"]!.AsArray().Add("12ab");
        using var directory = With(bad);
        Assert.Equal(("bad", ConventionLookupResult.Ineligible), Seen(directory.Find("badkey")));
        Assert.Contains("cles_sha256", Assert.Single(logger.Errors), StringComparison.Ordinal);
        Assert.DoesNotContain("12ab", logger.All, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_convention_without_id_is_named_by_its_place()
    {
        var bad = Hospital("bad", "badkey");
        bad.Remove("id");
        using var directory = With(Hospital("good", "goodkey"), bad);
        Assert.Equal(("convention[1]", ConventionLookupResult.Ineligible), Seen(directory.Find("badkey")));
    }

    [Fact]
    public void Is_in_force_from_its_first_to_its_last_day_in_Paris()
    {
        var json = Hospital("chu", "k");
        json["debut"] = "2026-03-11";
        json["fin"] = "2026-03-11";
        using var directory = With(json);

        time.SetUtcNow(new DateTimeOffset(2026, 3, 10, 22, 59, 59, TimeSpan.Zero));
        Assert.Equal(ConventionLookupResult.Ineligible, directory.Find("k").Result);
        time.SetUtcNow(new DateTimeOffset(2026, 3, 10, 23, 0, 0, TimeSpan.Zero));
        Assert.Equal(ConventionLookupResult.Eligible, directory.Find("k").Result);
        time.SetUtcNow(new DateTimeOffset(2026, 3, 11, 22, 59, 59, TimeSpan.Zero));
        Assert.Equal(ConventionLookupResult.Eligible, directory.Find("k").Result);
        time.SetUtcNow(new DateTimeOffset(2026, 3, 11, 23, 0, 0, TimeSpan.Zero));
        Assert.Equal(ConventionLookupResult.Ineligible, directory.Find("k").Result);
    }

    [Fact]
    public void A_suspended_convention_is_known_with_its_quota_and_not_eligible()
    {
        var json = Hospital("chu", "k");
        json["active"] = false;
        json["quota"] = new JsonObject { ["par_minute"] = 3, ["par_jour"] = 9 };
        using var directory = With(json);
        Assert.Equal(ConventionLookupResult.Ineligible, directory.Find("k").Result);
        Assert.Equal(new Partner("chu", 3, 9), directory.Find("k").Partner);
    }

    [Fact]
    public void A_change_is_followed_and_a_broken_file_never_replaces_a_good_one()
    {
        using var directory = With(Hospital("chu", "old"));
        Write(Hospital("chu", "new"));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(ConventionLookupResult.Unknown, directory.Find("old").Result);
        Assert.Equal(ConventionLookupResult.Eligible, directory.Find("new").Result);

        foreach (var broken in BrokenFiles)
        {
            File.WriteAllText(Path, broken);
            time.Advance(TimeSpan.FromSeconds(3));
            Assert.Equal(ConventionLookupResult.Eligible, directory.Find("new").Result);
        }

        Assert.Equal(BrokenFiles.Length, logger.Errors.Count);
        Assert.DoesNotContain(Hash("k"), logger.All, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_broken_file_stops_the_process_at_start()
    {
        foreach (var broken in BrokenFiles)
        {
            File.WriteAllText(Path, broken);
            var refusal = Assert.Throws<SettingException>(Open);
            Assert.Contains("Conventions:File", refusal.Message, StringComparison.Ordinal);
            Assert.Contains(Path, refusal.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Hash("k"), refusal.Message, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task A_host_without_the_setting_or_the_file_does_not_start()
    {
        var unset = await Assert.ThrowsAsync<OptionsValidationException>(() => Start(null));
        Assert.Contains("Conventions:File", unset.Message, StringComparison.Ordinal);
        var missing = await Assert.ThrowsAsync<OptionsValidationException>(() => Start(Path));
        Assert.Contains(Path, missing.Message, StringComparison.Ordinal);
        Write(Hospital("chu", "k"));
        await Start(Path);
    }

    private static string[] BrokenFiles =>
    [
        "",
        "[",
        "{}",
        "null",
        "[] []",
        "[{\"id\":\"a\",\"id\":\"b\"}]",
        "[{\"id\":\"\\ud800\"}]",
        new JsonArray(Hospital("a", "k"), Hospital("b", "k")).ToJsonString(),
        new JsonArray(Hospital("a", "k", "k")).ToJsonString(),
        new JsonArray(Hospital("a", "k"), Hospital("a", "l")).ToJsonString(),
    ];

    private static JsonObject Hospital(string id, params string[] keys) => new()
    {
        ["id"] = id,
        ["nom"] = "Centre hospitalier",
        ["type"] = "etablissement_de_soins",
        ["cles_sha256"] = new JsonArray([.. keys.Select((key, index) => (JsonNode)(index % 2 == 0 ? Hash(key) : Hash(key).ToUpperInvariant()))]),
        ["clients_franceconnect"] = new JsonArray("fc"),
        ["exonerations"] = "refusees",
        ["quota"] = new JsonObject { ["par_minute"] = 600, ["par_jour"] = 10_000 },
        ["active"] = true,
    };

    private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private static (string?, ConventionLookupResult) Seen(ConventionLookup lookup) => (lookup.Partner?.Id, lookup.Result);

    private static async Task Start(string? file)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(file is null ? [] : [new("Conventions:File", file)]);
        builder.Services.AddCallers(builder.Configuration);
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    private void Write(params JsonNode[] conventions) => File.WriteAllText(Path, new JsonArray(conventions).ToJsonString());

    private ConventionDirectory Open() => new(Options.Create(new ConventionsOptions { File = Path }), time, logger);

    private ConventionDirectory With(params JsonNode[] conventions)
    {
        Write(conventions);
        return Open();
    }
}
