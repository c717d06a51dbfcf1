using System.Net;
using System.Text.Json.Nodes;
using DroitsAmeli.Simulators;
using DroitsAmeli.Tests.Sandbox.Processes;

namespace DroitsAmeli.Tests.Sandbox;

public sealed class SandboxWelcomeTests(RunningSandbox running)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Names_the_documentation_the_personas_and_the_partners_with_their_keys()
    {
        var sandbox = await running.Get();
        var lines = sandbox.Child.Output.Split('\n');

        Assert.Contains(lines, line => line.Contains("Documentation", StringComparison.Ordinal) && line.EndsWith(Loopback.Url(sandbox.ApiPort, "/docs"), StringComparison.Ordinal));
        foreach (var persona in Personas.All)
            Assert.Single(lines, line => line.TrimStart().StartsWith(persona.Id + " ", StringComparison.Ordinal));
        string[][] partners =
        [
            ["chu-angers", "cle-chu-bac-a-sable", "fs-chu", "établissement de soins"],
            ["mutuelle-loire", "cle-mutuelle-bac-a-sable", "fs-mutuelle", "organisme complémentaire", "sans motif"],
            ["mutuelle-stricte", "cle-stricte-bac-a-sable", "fs-stricte", "organisme complémentaire", "refusées"],
        ];
        foreach (var words in partners)
            Assert.Single(lines, line => words.All(word => line.Contains(word, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Prints_nothing_else_than_the_welcome()
    {
        var sandbox = await running.Get();

        Assert.StartsWith("DroitsAmeli.Orleans", sandbox.Child.Output, StringComparison.Ordinal);
        Assert.Empty(sandbox.Child.Errors);
    }

    [Fact]
    public async Task Offers_a_command_that_works_as_often_as_it_is_pasted()
    {
        var sandbox = await running.Get();

        for (var paste = 0; paste < 2; paste++)
        {
            var answer = JsonNode.Parse(await Shell.Run(sandbox.Curl))!;
            Assert.Equal("Martin", (string?)answer["nom_famille"]);
            Assert.Equal("Alice", (string?)answer["prenom"]);
            Assert.Equal("assure", (string?)answer["qualite"]);
        }

        Assert.Equal("200 application/json", (await Shell.Run(sandbox.Curl + " -o /dev/null -w '%{http_code} %{content_type}'")).Split(';')[0]);
    }

    [Theory]
    [InlineData("cle-chu-bac-a-sable", "fs-chu")]
    [InlineData("cle-mutuelle-bac-a-sable", "fs-mutuelle")]
    [InlineData("cle-stricte-bac-a-sable", "fs-stricte")]
    public async Task Prints_keys_that_open_the_api_for_tokens_of_their_own_client_alone(string key, string client)
    {
        var sandbox = await running.Get();

        using var own = await SandboxProcess.Me(sandbox.Http, sandbox.ApiPort, key, await sandbox.Token("karim-benali", client));
        using var foreign = await SandboxProcess.Me(sandbox.Http, sandbox.ApiPort, key, await sandbox.Token("karim-benali", "fs-autre"));

        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
    }

    [Fact]
    public async Task Every_persona_it_names_gets_a_token_and_a_documented_answer()
    {
        var sandbox = await running.Get();

        foreach (var persona in Personas.All.Select(persona => persona.Id).Append("famille-42"))
        {
            using var answer = await SandboxProcess.Me(sandbox.Http, sandbox.ApiPort, "cle-chu-bac-a-sable", await sandbox.Token(persona, "fs-chu"));
            Assert.True(
                answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound or HttpStatusCode.Conflict,
                $"{persona}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(Stop)}");
        }
    }

    [Fact]
    public async Task Simulators_tell_what_they_were_asked()
    {
        var sandbox = await running.Get();
        var (checktokens, familles) = await Counts(sandbox);

        using var answer = await SandboxProcess.Me(sandbox.Http, sandbox.ApiPort, "cle-chu-bac-a-sable", await sandbox.Token("famille-77", "fs-chu"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal((checktokens + 1, familles + 1), await Counts(sandbox));
    }

    private static async Task<(long Checktokens, long Familles)> Counts(SandboxProcess sandbox)
    {
        var franceConnect = await sandbox.Json(sandbox.FranceConnectPort, "/sandbox/compteurs");
        var regimeSi = await sandbox.Json(sandbox.RegimeSiPort, "/sandbox/compteurs");
        foreach (var name in new[] { "identifications", "familles", "droits", "evenements", "concurrence_max" })
            Assert.NotNull(regimeSi[name]);
        return ((long)franceConnect["checktoken"]!, (long)regimeSi["familles"]!);
    }
}
