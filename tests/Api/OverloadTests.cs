using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>What a partner sees when more people arrive than the régime SI can take.</summary>
public sealed class OverloadTests(ScarceBench bench) : IClassFixture<ScarceBench>
{
    private const int Admitted = 1;
    private const int Refused = 10;

    [Fact]
    public async Task Those_who_cannot_be_served_are_told_before_the_si_has_answered_anybody()
    {
        var tokens = await Task.WhenAll(Enumerable.Range(0, Admitted + Refused).Select(at => bench.Token($"famille-{5000 + at}", lifetime: 600)));
        var before = await bench.RegimeSiAsked();
        await bench.SetRegimeSi("""{ "latency": { "median_ms": 2500 } }""");

        var calls = tokens.Select(token => new Call { Token = token }.Send(bench)).ToList();
        var answers = new List<Answer>();
        await foreach (var answered in Task.WhenEach(calls))
        {
            answers.Add(await answered);
            if (answers.Count == Refused)
            {
                var asked = await bench.RegimeSiAsked() - before;
                Assert.Equal((Admitted, 0), (asked.Identifications, asked.Familles));
            }
        }

        Assert.All(answers[..Refused], answer =>
        {
            answer.Is("si_indisponible");
            Assert.InRange(int.Parse(answer.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 5);
        });
        Assert.All(answers[Refused..], answer => answer.Ok());

        await bench.SetRegimeSi();
        bench.Clock.Jump(TimeSpan.FromSeconds(5));
        foreach (var token in tokens)
            (await new Call { Token = token }.Send(bench)).Ok();
    }
}
