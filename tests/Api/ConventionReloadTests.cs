using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using DroitsAmeli.Grains;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>The conventions file changes while the front end runs.</summary>
[Collection(ConventionsCollection.Name)]
public sealed class ConventionReloadTests(ConventionsBench bench) : IAsyncDisposable
{
    private const int Patience = 25;

    /// <summary>Puts the file back, and waits until it is in force.</summary>
    public async ValueTask DisposeAsync()
    {
        await bench.WriteConventions(TestPartners.Conventions());
        await Until(() => new Call { Key = "cle-temoin" }, "cle_api_invalide");
        (await new Call().Send(bench)).Is("jeton_absent");
    }

    [Fact]
    public async Task A_revoked_key_is_401_and_its_successor_works_beside_it()
    {
        await Change(chu => chu["cles_sha256"] = new JsonArray(TestPartners.Hash("cle-chu"), TestPartners.Hash("cle-chu-2")));
        await Until(() => new Call { Key = "cle-chu-2" }, "jeton_absent");
        (await new Call { Key = "cle-chu" }.Send(bench)).Is("jeton_absent");

        await Change(chu => chu["cles_sha256"] = new JsonArray(TestPartners.Hash("cle-chu-2")));
        await Until(() => new Call { Key = "cle-chu" }, "cle_api_invalide");
        (await new Call { Key = "cle-chu-2" }.Send(bench)).Is("jeton_absent");
    }

    [Fact]
    public async Task A_suspended_convention_is_403_even_for_a_token_that_was_served()
    {
        var call = new Call { Token = await bench.Token("alice-martin", lifetime: 600) };
        (await call.Send(bench)).Ok();
        await Change(chu => chu["active"] = false);
        await Until(() => call, "convention_non_eligible");
    }

    [Fact]
    public async Task A_client_taken_out_of_the_convention_closes_a_remembered_token()
    {
        var call = new Call { Token = await bench.Token("alice-martin", lifetime: 600) };
        (await call.Send(bench)).Ok();
        await Change(chu => chu["clients_franceconnect"] = new JsonArray("fs-autre"));
        await Until(() => call, "jeton_autre_partenaire");
    }

    [Fact]
    public async Task A_broken_file_keeps_the_old_one()
    {
        await Change(_ => { });
        await Until(() => new Call { Key = "cle-temoin" }, "jeton_absent");

        var sameKeyTwice = new JsonArray(
            TestPartners.Convention("a", "etablissement_de_soins", "cle-a", "fs-a"),
            TestPartners.Convention("b", "etablissement_de_soins", "cle-a", "fs-b"));
        foreach (var content in new[] { "[{", "{}", "[{\"id\":\"a\",\"id\":\"b\"}]", sameKeyTwice.ToJsonString() })
        {
            using var refusal = new Refusal();
            await bench.WriteConventions(content);
            for (var looks = 0; !refusal.Seen; looks++)
            {
                Assert.True(looks < Patience, "Nobody refused " + content);
                LookAtTheFile();
                (await new Call { Key = "cle-temoin" }.Send(bench)).Is("jeton_absent");
                await Pause();
            }

            (await new Call { Key = "cle-temoin" }.Send(bench)).Is("jeton_absent");
            (await new Call { Key = "cle-a" }.Send(bench)).Is("cle_api_invalide");
        }
    }

    [Fact]
    public async Task An_unknown_value_disables_that_convention_alone()
    {
        var conventions = TestPartners.Conventions();
        var wrong = new (string Name, JsonNode Value)[]
        {
            ("type", "mutuelle_de_quartier"),
            ("exonerations", "toutes"),
            ("cas_usage", "curiosite"),
            ("ressources", new JsonArray("tout")),
            ("debut", "demain"),
            ("quota", new JsonObject { ["par_minute"] = -1, ["par_jour"] = 1 }),
            ("active", "oui"),
            ("age_maximal_minutes", 0),
            ("ressource", new JsonArray("me")),
        };
        foreach (var field in wrong)
            conventions.Add((JsonNode)TestPartners.Convention("faux-" + field.Name, "etablissement_de_soins", "cle-" + field.Name, "fs-chu", field));
        conventions.Add((JsonNode)TestPartners.Convention("temoin", "etablissement_de_soins", "cle-temoin", "fs-temoin"));
        await bench.WriteConventions(conventions);
        await Until(() => new Call { Key = "cle-temoin" }, "jeton_absent");

        foreach (var (name, _) in wrong)
            (await new Call { Key = "cle-" + name }.Send(bench)).Is("convention_non_eligible");
        (await new Call().Send(bench)).Is("jeton_absent");
    }

    private Task Change(Action<JsonObject> change)
    {
        var conventions = TestPartners.Conventions();
        change(conventions[0]!.AsObject());
        conventions.Add((JsonNode)TestPartners.Convention("temoin", "etablissement_de_soins", "cle-temoin", "fs-temoin"));
        return bench.WriteConventions(conventions);
    }

    // The file is looked at once a second.
    private void LookAtTheFile() => bench.Clock.Jump(TimeSpan.FromSeconds(1));

    private static Task Pause() => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Bench.Stop);

    private async Task Until(Func<Call> call, string code)
    {
        for (var looks = 0; looks < Patience; looks++)
        {
            LookAtTheFile();
            await Pause();
            var answer = await call().Send(bench);
            if (answer.Status != 200 && answer.Code == code)
            {
                answer.Is(code);
                return;
            }
        }

        Assert.Fail($"Not {code} after {Patience} looks at the file.");
    }

    /// <summary>Hears the alarm of a configuration file that is refused.</summary>
    private sealed class Refusal : IDisposable
    {
        private readonly MeterListener listener = new();

        public Refusal()
        {
            listener.InstrumentPublished = (instrument, heard) =>
            {
                if (instrument.Meter.Name == Telemetry.MeterName && instrument.Name == Telemetry.Alarms.Name)
                    heard.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
            {
                foreach (var tag in tags)
                    Seen |= tag.Value is "configuration_file";
            });
            listener.Start();
        }

        public bool Seen { get; private set; }

        public void Dispose() => listener.Dispose();
    }
}
