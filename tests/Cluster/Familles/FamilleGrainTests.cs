using System.Text.Json.Nodes;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Familles;
using Xunit;

namespace DroitsAmeli.Tests.Cluster.Familles;

[Collection(nameof(DroitsCluster))]
public sealed class FamilleGrainTests(DroitsCluster cluster) : IAsyncLifetime
{
    private const string Assure = "1800175108001";
    private const string Conjoint = "2820175108003";
    private const string Enfant = "2150175108002";

    private static int families;

    private readonly string id = "F" + Interlocked.Increment(ref families);

    private FakeFamille Famille => cluster.Si.Famille(id);

    private IFamilleGrain Grain => cluster.Client.GetGrain<IFamilleGrain>(FamilleKey.Of(id));

    private int Compositions => cluster.Si.Count("familles/" + id);

    private int Droits => cluster.Si.Count("droits/" + id);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => cluster.Recover();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Concurrent_cold_reads_call_the_regime_si_once()
    {
        Famille.With(Assure).Hold();
        var reads = Enumerable.Range(0, 1_000).Select(_ => Grain.GetDroits(Of(Assure), Cancellation)).ToArray();
        await Until(() => Compositions == 1 && Droits == 1);
        Famille.Release();

        var replies = await Task.WhenAll(reads);
        Assert.All(replies, reply => Assert.Equal(FamilleOutcome.Ok, reply.Outcome));
        Assert.Equal((1, 1), (Compositions, Droits));
    }

    [Fact]
    public async Task A_cancelled_reader_does_not_cancel_the_load_of_the_others()
    {
        Famille.With(Assure).Hold();
        using var impatient = new CancellationTokenSource();
        var first = Grain.GetBeneficiaire(Of(Assure), impatient.Token);
        await Until(() => Compositions == 1);
        var second = Grain.GetBeneficiaire(Of(Assure), Cancellation);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        Famille.Release();
        Assert.Equal(FamilleOutcome.Ok, (await second).Outcome);
        Assert.Equal(1, Compositions);
    }

    [Fact]
    public async Task Who_the_user_is_brings_the_users_own_rights_along()
    {
        Famille.With(Assure);
        await Grain.GetBeneficiaire(Of(Assure), Cancellation);
        await Until(() => Droits == 1);

        Assert.Equal(FamilleOutcome.Ok, (await Grain.GetDroits(Of(Assure), Cancellation)).Outcome);
        Assert.Equal((1, 1), (Compositions, Droits));
    }

    [Fact]
    public async Task A_family_rests_a_minute_after_its_last_read()
    {
        Famille.With(Assure);
        await Grain.GetDroits(Of(Assure), Cancellation);
        await cluster.Advance(TimeSpan.FromSeconds(40));
        await Grain.GetDroits(Of(Assure), Cancellation);

        await cluster.Advance(TimeSpan.FromSeconds(20));
        await cluster.Service<FamillesServiceClient>().On(cluster.Service<ILocalSiloDetails>().SiloAddress).Look(id);
        Assert.False(cluster.FindFamille(Grain.GetGrainId())!.IsAtRest);
        await cluster.Advance(TimeSpan.FromSeconds(41));
        await Until(() => cluster.FindFamille(Grain.GetGrainId()) is { IsAtRest: true });
    }

    [Fact]
    public async Task The_list_loads_nobodys_rights_for_the_booleans()
    {
        Famille.With(Assure, presences: false).With(Enfant, "enfant", "2015-01-05", presences: false);
        var cold = PartJson.ReadMembres((await Grain.GetBeneficiaires(Of(Assure), Cancellation)).Payload);
        Assert.Equal(2, cold.Length);
        Assert.Null(cold[1].Presences);

        await Grain.GetDroits(Of(Assure, Enfant), Cancellation);
        var warm = PartJson.ReadMembres((await Grain.GetBeneficiaires(Of(Assure), Cancellation)).Payload);
        Assert.Single(warm[1].Presences!.Amc);
        Assert.Equal(2, Droits);
    }

    [Fact]
    public async Task The_list_has_rights_that_are_held_for_the_booleans_refreshed_behind_it()
    {
        Famille.With(Assure).With(Enfant, "enfant", "2015-01-05", presences: false);
        await Grain.GetDroits(Of(Assure, Enfant), Cancellation);
        var asked = Droits;

        await cluster.Advance(TimeSpan.FromMinutes(20));
        Assert.Single((await PresencesOfEnfant())!.Amc);
        await Until(() => Droits == asked + 1);
        Assert.Single((await PresencesOfEnfant())!.Amc);

        await cluster.Advance(TimeSpan.FromMinutes(70));
        Assert.Null(await PresencesOfEnfant());
        await Until(() => Droits == asked + 2);
        await UntilAsync(async () => await PresencesOfEnfant() is { Amc: [_] });
        Assert.Equal(asked + 2, Droits);
    }

    [Fact]
    public async Task The_list_has_its_booleans_from_old_rights_while_the_si_fails()
    {
        Famille.With(Assure).With(Enfant, "enfant", "2015-01-05", presences: false);
        await Grain.GetDroits(Of(Assure, Enfant), Cancellation);
        await cluster.Advance(TimeSpan.FromMinutes(70));
        Famille.Status = 503;
        await UntilAsync(async () => await PresencesOfEnfant() is { Amc: [_] });

        var asked = Droits;
        await cluster.Advance(TimeSpan.FromSeconds(30));
        Assert.Single((await PresencesOfEnfant())!.Amc);
        await Until(() => Droits == asked + 1);
    }

    [Fact]
    public async Task The_list_has_no_booleans_from_rights_that_are_to_be_asked_again_first()
    {
        Famille.With(Assure).With(Enfant, "enfant", "2015-01-05", presences: false);
        await Grain.GetDroits(Of(Assure, Enfant), Cancellation);
        await cluster.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, await cluster.Familles.Obey(OperatorOrdres.MakeStale(id, cluster.Time.GetUtcNow())));
        Assert.Null(await PresencesOfEnfant());
        await UntilAsync(async () => await PresencesOfEnfant() is { Amc: [_] });
    }

    [Fact]
    public async Task One_person_without_presences_loads_that_persons_rights_for_the_booleans()
    {
        Famille.With(Assure, presences: false);
        var membre = Assert.Single(PartJson.ReadMembres((await Grain.GetBeneficiaire(Of(Assure), Cancellation)).Payload));
        Assert.Single(membre.Presences!.Amc);
        Assert.Equal(1, Droits);
    }

    [Theory]
    [InlineData(Conjoint)]
    [InlineData("2990199999999")]
    public async Task Somebody_the_token_does_not_open_is_unknown_and_the_si_is_not_asked(string nir)
    {
        Famille.With(Assure).With(Conjoint, "conjoint", "1982-01-05");
        var reply = await Grain.GetDroits(Of(Assure, nir), Cancellation);
        Assert.Equal(FamilleOutcome.BeneficiaireInconnu, reply.Outcome);
        Assert.Empty(reply.Payload);
        Assert.Equal(FamilleOutcome.BeneficiaireInconnu, (await Grain.GetBeneficiaire(Of(Assure, nir), Cancellation)).Outcome);
        Assert.True(Droits <= 1);
    }

    [Fact]
    public async Task The_si_s_marks_do_not_leave_the_grain()
    {
        Famille.With(Assure, change: membre => membre["restrictions"] = new JsonArray("dossier_sensible"));
        var reply = await Grain.GetBeneficiaire(Of(Assure), Cancellation);
        Assert.Equal(FamilleOutcome.Ok, reply.Outcome);
        Assert.DoesNotContain("dossier_sensible", System.Text.Encoding.UTF8.GetString(reply.Payload), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(410)]
    public async Task A_family_that_is_gone_says_so_and_is_not_asked_for_again_at_once(int status)
    {
        Famille.Status = status;
        Assert.Equal(FamilleOutcome.FamilleGone, (await Grain.GetDroits(Of(Assure), Cancellation)).Outcome);
        Assert.Equal(FamilleOutcome.FamilleGone, (await Grain.GetDroits(Of(Assure), Cancellation)).Outcome);
        Assert.Equal(1, Compositions);
    }

    [Fact]
    public async Task A_family_without_its_user_is_loaded_again_before_that_is_said()
    {
        Famille.With(Enfant, "enfant", "2015-01-05");
        Assert.Equal(FamilleOutcome.UtilisateurAbsent, (await Grain.GetBeneficiaire(Of(Assure), Cancellation)).Outcome);

        await cluster.Advance(TimeSpan.FromSeconds(10));
        Famille.With(Assure);
        Famille.Version++;
        Assert.Equal(FamilleOutcome.Ok, (await Grain.GetBeneficiaire(Of(Assure), Cancellation)).Outcome);
        Assert.Equal(2, Compositions);
    }

    [Fact]
    public async Task A_failing_si_is_left_alone_between_tries()
    {
        Famille.Status = 503;
        for (var i = 0; i < 50; i++)
            Assert.Equal(FamilleOutcome.SiUnavailable, (await Grain.GetBeneficiaire(Of(Assure), Cancellation)).Outcome);
        Assert.Equal(1, Compositions);

        Famille.With(Assure).Status = 200;
        await cluster.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(FamilleOutcome.Ok, (await Grain.GetBeneficiaire(Of(Assure), Cancellation)).Outcome);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_asks_again_while_the_si_is_closed_is_answered_as_soon_as_it_opens(bool rights)
    {
        Famille.With(Assure).With(Enfant, "enfant", "2015-01-05");
        if (rights)
            Assert.Equal(FamilleOutcome.Ok, (await Read()).Outcome);
        (Famille.Status, Famille.RetryAfterSeconds) = (503, 3600);
        Assert.Equal(FamilleOutcome.SiUnavailable, (await Read(rights)).Outcome);

        foreach (var seconds in (double[])[2, 2])
        {
            await cluster.Advance(TimeSpan.FromSeconds(seconds));
            var closed = await Read(rights);
            Assert.Equal(FamilleOutcome.SiUnavailable, closed.Outcome);
            Assert.InRange(closed.RetryAfter!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
        }

        Famille.Status = 200;
        await cluster.Advance(TimeSpan.FromSeconds(1.5));
        Assert.Equal(FamilleOutcome.Ok, (await Read(rights)).Outcome);

        Task<FamilleReply> Read(bool ofChild = false) =>
            ofChild ? Grain.GetDroits(Of(Assure, Enfant), Cancellation) : Grain.GetBeneficiaires(Of(Assure), Cancellation);
    }

    [Fact]
    public async Task Ages_through_refresh_behind_and_first_to_expiry()
    {
        Famille.With(Assure);
        var fresh = (await Grain.GetDroits(Of(Assure), Cancellation)).Cache!;
        Assert.Equal(CacheOutcome.Miss, fresh.Outcome);
        Assert.InRange(fresh.TtlSeconds, 13.5 * 60 - 1, 16.5 * 60);

        await cluster.Advance(TimeSpan.FromMinutes(20));
        var behind = (await Grain.GetDroits(Of(Assure), Cancellation)).Cache!;
        Assert.Equal(CacheOutcome.Hit, behind.Outcome);
        Assert.True(behind.TtlSeconds < 0);
        await Until(() => Droits == 2 && Compositions == 2);
        await UntilAsync(async () => (await Grain.GetDroits(Of(Assure), Cancellation)).Cache!.TtlSeconds > 0);

        await cluster.Advance(TimeSpan.FromMinutes(70));
        Assert.Equal(CacheOutcome.Confirmed, (await Grain.GetDroits(Of(Assure), Cancellation)).Cache!.Outcome);

        await cluster.Advance(TimeSpan.FromMinutes(70));
        Famille.Status = 503;
        var old = (await Grain.GetDroits(Of(Assure), Cancellation)).Cache!;
        Assert.Equal(CacheOutcome.OldCopy, old.Outcome);
        Assert.True(old.TtlSeconds < -50 * 60);

        Assert.Equal(FamilleOutcome.SiUnavailable, (await Grain.GetDroits(Of(Assure, maximumAge: TimeSpan.FromHours(1)), Cancellation)).Outcome);
        await cluster.Advance(TimeSpan.FromHours(24));
        Assert.Equal(FamilleOutcome.SiUnavailable, (await Grain.GetDroits(Of(Assure), Cancellation)).Outcome);
    }

    [Theory]
    [InlineData("droits")]
    [InlineData("presences")]
    [InlineData("rattachement")]
    public async Task What_ends_today_is_asked_again_at_midnight_in_Paris(string ends)
    {
        var midnight = await TenMinutesBeforeMidnight();
        var today = Paris.DayOf(cluster.Time.GetUtcNow());
        var period = new JsonObject { ["date_debut"] = "2026-01-01", ["date_fin"] = $"{today:yyyy-MM-dd}" };
        Famille.With(Assure).With(Enfant, "enfant", "2015-01-05", change: membre =>
        {
            if (ends == "presences")
                membre["presences"] = new JsonObject { ["amc"] = new JsonArray(period), ["medecin_traitant"] = new JsonArray() };
            else if (ends == "rattachement")
                membre["rattachement"] = period;
        });
        if (ends == "droits")
            Famille.FinDroits = today;

        Assert.Equal((CacheOutcome.Miss, 600), await Read());
        var asked = Asked();
        await cluster.Advance(midnight - cluster.Time.GetUtcNow() - TimeSpan.FromSeconds(1));
        Assert.Equal((CacheOutcome.Hit, 1), await Read());
        Assert.Equal(asked, Asked());

        await cluster.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((CacheOutcome.Hit, 0), await Read());
        await Until(() => Asked() == asked + 1);
        await UntilAsync(async () => (await Read()).Ttl > 600);

        int Asked() => ends == "droits" ? Droits : Compositions;

        async Task<(CacheOutcome Outcome, int Ttl)> Read()
        {
            var cache = (ends == "droits" ? await Grain.GetDroits(Of(Assure), Cancellation) : await Grain.GetBeneficiaires(Of(Assure), Cancellation)).Cache!;
            return (cache.Outcome, cache.TtlSeconds);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Enfant)]
    public async Task Parts_that_must_both_be_refreshed_first_are_asked_side_by_side_and_waited_for_once(string? about)
    {
        Famille.With(Assure).With(Enfant, "enfant", "2015-01-05");
        await Grain.GetDroits(Of(Assure, about), Cancellation);
        await cluster.Advance(TimeSpan.FromHours(2));
        var asked = (Compositions, Droits);

        Famille.Hold();
        var reading = Grain.GetDroits(Of(Assure, about), Cancellation);
        await Until(() => (Compositions, Droits) == (asked.Compositions + 1, asked.Droits + 1));
        cluster.Time.Advance(TimeSpan.FromSeconds(2));
        var reply = await reading.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        Famille.Release();
        Assert.Equal((FamilleOutcome.Ok, CacheOutcome.Hit), (reply.Outcome, reply.Cache!.Outcome));
    }

    [Fact]
    public async Task Rights_that_are_read_for_the_booleans_are_refreshed_beside_the_composition()
    {
        Famille.With(Assure, presences: false);
        await Grain.GetBeneficiaire(Of(Assure), Cancellation);
        await cluster.Advance(TimeSpan.FromHours(2));

        Famille.Hold();
        var reading = Grain.GetBeneficiaire(Of(Assure), Cancellation);
        await Until(() => (Compositions, Droits) == (2, 2));
        Famille.Release();
        Assert.Equal(CacheOutcome.Confirmed, (await reading).Cache!.Outcome);
    }

    [Fact]
    public async Task A_composition_that_is_refreshed_first_has_nothing_asked_of_those_it_does_not_open()
    {
        Famille.With(Assure).With(Conjoint, "conjoint", "1982-01-05");
        await Grain.GetDroits(Of(Assure), Cancellation);
        await Grain.GetDroits(Of(Conjoint), Cancellation);
        await cluster.Advance(TimeSpan.FromHours(2));
        var asked = Droits;

        Assert.Equal(FamilleOutcome.BeneficiaireInconnu, (await Grain.GetDroits(Of(Assure, Conjoint), Cancellation)).Outcome);
        Assert.Equal(asked, Droits);
    }

    [Fact]
    public async Task A_newer_part_supersedes_the_other()
    {
        Famille.With(Assure);
        await Grain.GetDroits(Of(Assure), Cancellation);
        await Grain.GetBeneficiaire(Of(Assure), Cancellation);

        Famille.Version = 5;
        await cluster.Advance(TimeSpan.FromMinutes(80));
        Assert.Equal(CacheOutcome.Refreshed, (await Grain.GetBeneficiaire(Of(Assure), Cancellation)).Cache!.Outcome);
        var droits = await Grain.GetDroits(Of(Assure), Cancellation);
        Assert.Equal(CacheOutcome.Refreshed, droits.Cache!.Outcome);
        Assert.Equal(5, PartJson.ReadDroits(droits.Payload).Version);
    }

    [Theory]
    [InlineData(true, FamilleOutcome.UtilisateurAbsent)]
    [InlineData(false, FamilleOutcome.BeneficiaireInconnu)]
    public async Task Rights_that_show_a_newer_version_are_opened_by_the_composition_of_that_version(bool userLeft, FamilleOutcome expected)
    {
        Famille.With(Assure).With(Enfant, "enfant", "2015-01-05");
        Assert.Equal(FamilleOutcome.Ok, (await Grain.GetBeneficiaires(Of(Assure), Cancellation)).Outcome);

        Famille.Remove(userLeft ? Assure : Enfant);
        if (!userLeft)
            Famille.With(Enfant, "enfant", "2015-01-05", change: membre => membre["restrictions"] = new JsonArray("secret"));
        Famille.Version++;

        var reply = await Grain.GetDroits(Of(Assure, Enfant), Cancellation);
        Assert.Equal(expected, reply.Outcome);
        Assert.Empty(reply.Payload);
    }

    [Fact]
    public async Task Rights_that_came_beside_a_newer_composition_are_asked_for_again()
    {
        Famille.With(Assure).Version = 2;
        Famille.DroitsVersion = 1;
        Famille.Hold(droits: false);
        var reading = Grain.GetDroits(Of(Assure), Cancellation);
        await UntilAsync(async () => Compositions == 1 && (await cluster.Familles.Look(id))?.Parts.Length == 1);
        Famille.DroitsVersion = null;
        Famille.Release();

        Assert.Equal(2, PartJson.ReadDroits((await reading).Payload).Version);
        Assert.Equal((1, 2), (Compositions, Droits));
    }

    [Fact]
    public async Task An_answer_that_goes_back_in_version_is_refused()
    {
        Famille.With(Assure).Version = 5;
        await Grain.GetDroits(Of(Assure), Cancellation);

        Famille.Version = 4;
        await cluster.Advance(TimeSpan.FromMinutes(80));
        var reply = await Grain.GetDroits(Of(Assure), Cancellation);
        Assert.Equal(CacheOutcome.OldCopy, reply.Cache!.Outcome);
        Assert.Equal(5, PartJson.ReadDroits(reply.Payload).Version);
    }

    private async Task<DateTimeOffset> TenMinutesBeforeMidnight()
    {
        var rest = TimeSpan.FromMinutes(10);
        var now = cluster.Time.GetUtcNow();
        var midnight = Paris.StartOf(Paris.DayOf(now + rest).AddDays(1));
        await cluster.Advance(midnight - rest - now);
        return midnight;
    }

    private async Task<Presences?> PresencesOfEnfant() =>
        PartJson.ReadMembres((await Grain.GetBeneficiaires(Of(Assure), Cancellation)).Payload)[1].Presences;

    private static FamilleRequest Of(string user, string? about = null, TimeSpan? maximumAge = null) =>
        new() { Utilisateur = Nir(user), Beneficiaire = about is null ? null : Nir(about), MaximumAge = maximumAge };

    private static Nir Nir(string text) =>
        Grains.Droits.Nir.TryParse(text, out var nir) ? nir : throw new ArgumentException("Not a NIR.", nameof(text));

    private static Task Until(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    /// <summary>Waits, on the real clock and at most 30 s, for what a background load does.</summary>
    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await condition())
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
    }
}
