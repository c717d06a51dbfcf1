using DroitsAmeli.Load.Processes;
using DroitsAmeli.Load.Reads;

namespace DroitsAmeli.Tests.Chaos;

public sealed class AnswerBookTests
{
    private static readonly SimulatedSi Si = new(null!, null!, 1000);

    [Fact]
    public void Only_who_has_no_doctor_is_told_so()
    {
        var book = new AnswerBook(Si);
        var (without, with) = (First(doctors: 0), First(doctors: 1));
        Assert.True(book.IsRight(new(without, Resource.MedecinTraitant), Refused(404, "medecin_traitant_absent")));
        Assert.False(book.IsRight(new(with, Resource.MedecinTraitant), Refused(404, "medecin_traitant_absent")));
        Assert.False(book.IsRight(new(without, Resource.Caisse), Refused(404, "medecin_traitant_absent")));
    }

    [Fact]
    public void An_organisme_is_told_that_doctors_are_not_for_it_whether_there_is_one_or_not()
    {
        var (hospital, insurer) = (new AnswerBook(Si), new AnswerBook(Si, Partner.Mutuelle));
        foreach (var famille in (long[])[First(doctors: 0), First(doctors: 1)])
        {
            var question = new Question(famille, Resource.MedecinTraitant);
            Assert.True(insurer.IsRight(question, Refused(403, "donnee_reservee")));
            Assert.False(insurer.IsRight(question, Refused(404, "medecin_traitant_absent")));
            Assert.False(hospital.IsRight(question, Refused(403, "donnee_reservee")));
        }
    }

    [Fact]
    public void A_failure_is_never_right_however_often_it_comes()
    {
        var book = new AnswerBook(Si);
        foreach (var resource in Enum.GetValues<Resource>())
        {
            Assert.False(book.IsRight(new(1, resource), Refused(503, "si_indisponible")));
            Assert.False(book.IsRight(new(1, resource), Refused(503, "si_indisponible")));
        }
    }

    private static long First(int doctors) =>
        Enumerable.Range(0, 1000).First(famille => Si.Population.Get(famille).Membres[0].Droits.MedecinsTraitants.Count == doctors);

    private static Reading Refused(int status, string code) => new(status, code, [], null, null, TimeProvider.System.GetUtcNow(), TimeSpan.Zero);
}
