using System.Globalization;
using Xunit;

namespace DroitsAmeli.Tests.Api;

/// <summary>More calls than a front end may have in the cluster.</summary>
public sealed class SaturationTests(NarrowBench bench) : IClassFixture<NarrowBench>
{
    private const int Admitted = 64;
    private const int Refused = 20;

    [Fact]
    public async Task Those_for_whom_there_is_no_room_are_told_at_once_and_the_others_are_answered()
    {
        var tokens = await Task.WhenAll(Enumerable.Range(0, Admitted + Refused).Select(at => bench.Token($"famille-{7000 + at}", lifetime: 600)));
        await bench.SetFranceConnect("""{ "latence_ms": 1500 }""");

        var calls = tokens.Select(token => new Call { Token = token }.Send(bench)).ToList();
        var answers = new List<Answer>();
        await foreach (var answered in Task.WhenEach(calls))
            answers.Add(await answered);
        await bench.SetFranceConnect();

        Assert.All(answers[..Refused], answer =>
        {
            answer.Is("si_indisponible");
            Assert.Equal("2", answer.Header("Retry-After"));
            Assert.InRange(int.Parse(answer.Header("RateLimit-Remaining")!, CultureInfo.InvariantCulture), 0, int.MaxValue);
            Assert.Contains("plus d'appels", answer.Body, StringComparison.Ordinal);
        });
        Assert.All(answers[Refused..], answer => answer.Ok());
        (await new Call { Token = await bench.Token("famille-7200", lifetime: 600) }.Send(bench)).Ok();
    }
}
