using System.Text;
using System.Text.Json.Nodes;
using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;
using DroitsAmeli.Load.Visits;
using DroitsAmeli.Simulators.RegimeSi;

namespace DroitsAmeli.Tests.Chaos;

public sealed class ChaosReportTests
{
    private const int Held = 100;
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(500);

    [Fact]
    public void A_refusal_is_excused_only_of_an_unseen_family_while_the_si_is_disturbed()
    {
        var report = new ChaosReport(Held);
        report.Begin("calm", TimeSpan.Zero);
        report.SiFails(TimeSpan.FromSeconds(10));
        report.Add(Visit(9, true, Refused(9, 503, "si_indisponible")));
        Assert.Equal((0, 1), (report.Visits.Refused, report.Visits.Broken));

        report.Add(Visit(9.8, true, Refused(9.8, 503, "si_indisponible")));
        report.Add(Visit(15, true, Good(15), Refused(15.5, 504, "delai_depasse")));
        Assert.Equal((2, 1), (report.Visits.Refused, report.Visits.Broken));

        report.Add(Visit(15, false, Refused(15, 503, "si_indisponible")));
        report.Add(Visit(15, true, Refused(15, 503, "no problem")));
        report.Add(Visit(15, true, Refused(15, 502, "franceconnect_indisponible")));
        report.Add(Visit(15, true, Refused(15, 504, "delai_depasse") with { SinceDue = TimeSpan.FromSeconds(8.5) }));
        Assert.Equal((2, 5), (report.Visits.Refused, report.Visits.Broken));

        report.SiWorks(TimeSpan.FromSeconds(20));
        report.Add(Visit(19.9, true, Refused(19.9, 503, "si_indisponible")));
        report.Add(Visit(20, true, Refused(20, 503, "si_indisponible")));
        Assert.Equal((3, 6), (report.Visits.Refused, report.Visits.Broken));
        Assert.Equal((6, 3, 0), (report.Failed, report.Excused, report.Wrong));
    }

    [Fact]
    public void A_refusal_that_says_what_is_not_so_is_a_wrong_answer()
    {
        var report = new ChaosReport(Held);
        report.Begin("calm", TimeSpan.Zero);
        report.Add(Visit(1, false, Refused(1, 404, "beneficiaire_inconnu")));
        report.Add(Visit(2, false, Good(2) with { Right = false }));
        report.Add(Visit(3, false, Refused(3, 404, "medecin_traitant_absent") with { Right = true }));
        report.Add(Refused(4, 503, "si_indisponible"));
        Assert.Equal((3, 2, 2, 1), (report.Failed, report.Wrong, report.Visits.Broken, report.Visits.Finished));
        Assert.Equal(["/me wrong answer", "/me wrong answer, 404 beneficiaire_inconnu", "503 si_indisponible"], report.Phases[0].Failures.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_answer_that_is_late_or_of_no_believable_age_breaks_its_visit()
    {
        var report = new ChaosReport(Held);
        report.Begin("calm", TimeSpan.Zero);
        report.Add(Visit(1, false, Good(1) with { SinceDue = TimeSpan.FromSeconds(8.1) }, Good(9.1)));
        report.Add(Visit(2, false, Good(2) with { Declared = false }));
        report.Add(Visit(3, false, Good(3)));
        Assert.Equal((2, 1), (report.Visits.Broken, report.Visits.Finished));
        Assert.Equal(["/me 200 after more than 8 s", "/me no believable age"], report.Phases[0].Failures.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Calls_count_where_they_were_due_and_visits_where_they_began()
    {
        var report = new ChaosReport(Held);
        report.Begin("calm", TimeSpan.Zero);
        report.Begin("harm", TimeSpan.FromSeconds(10));
        report.Add(Visit(9.9, false, Good(9.9), Good(10.4), Refused(10.9, 503, "si_indisponible")));
        Assert.Equal([(1L, 0, 1), (2L, 1, 0)], report.Phases.Select(phase => (phase.Calls, phase.Failed, phase.Visits.Broken)));

        var json = JsonNode.Parse(report.ToJson())!;
        Assert.Equal((1, 1), ((int)json["visits"]!["broken"]!, (int)json["phases"]![0]!["visits"]!["begun"]!));
    }

    [Fact]
    public void What_visits_by_unseen_families_have_loaded_is_no_reload()
    {
        var phase = new ChaosPhase("harm", TimeSpan.Zero, Held) { Si = new(2, 5, 4, 7, 0, 1, 0, 0, 0, new Dictionary<FaultKind, long>()) };
        phase.Visits.Add(isUnseen: true, CallFate.Good);
        phase.Visits.Add(isUnseen: true, CallFate.Failed);
        phase.Visits.Add(isUnseen: false, CallFate.Good);
        Assert.Equal((5L, 0.025), (phase.Reloads, phase.ReloadShare));
    }

    private static JudgedVisit Visit(double at, bool unseen, params IReadOnlyList<JudgedRead> calls) => new(TimeSpan.FromSeconds(at), unseen, calls);

    private static JudgedRead Good(double at) => Call(at, new(200, null, Encoding.UTF8.GetBytes("{}"), null, null, DateTimeOffset.UnixEpoch, Soon)) with { Right = true };

    private static JudgedRead Refused(double at, int status, string code) => Call(at, new(status, code, [], null, null, DateTimeOffset.UnixEpoch, Soon));

    private static JudgedRead Call(double at, Reading reading) => new(TimeSpan.FromSeconds(at), new(1, Resource.Me), reading, Soon, Right: false, Declared: true);
}
