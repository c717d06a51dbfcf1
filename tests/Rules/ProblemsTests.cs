using DroitsAmeli.Api;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.FranceConnect;
using Microsoft.Extensions.Options;
using Xunit;

namespace DroitsAmeli.Tests.Rules;

public sealed class ProblemsTests
{
    private static readonly Problems Configured = new(Options.Create(new RegimesOptions()));

    [Theory]
    [InlineData(null, 5)]
    [InlineData(90, 90)]
    public void An_si_that_cannot_be_asked_is_tried_again_when_it_says_so_and_else_in_five_seconds(int? said, int expected)
    {
        TimeSpan? retryAfter = said is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
        Problem?[] problems =
        [
            Problems.SiIndisponible(retryAfter),
            Configured.Of(new IdentiteReply { Outcome = IdentiteOutcome.SiUnavailable, RetryAfter = retryAfter }),
            Configured.Of(new FamilleReply { Outcome = FamilleOutcome.SiUnavailable, RetryAfter = retryAfter }),
            Configured.Of(new FamilleReply { Outcome = FamilleOutcome.FamilleGone, RetryAfter = retryAfter }),
            Configured.Of(new FamilleReply { Outcome = FamilleOutcome.UtilisateurAbsent, RetryAfter = retryAfter }),
        ];
        Assert.All(problems, problem => Assert.Equal((503, "si_indisponible", TimeSpan.FromSeconds(expected)), (problem!.Status, problem.Code, problem.RetryAfter)));
    }
}
