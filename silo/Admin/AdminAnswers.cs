using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Familles;

namespace DroitsAmeli.Silo.Admin;

internal sealed record SiloAnswer(string Silo, int Port, string Etat, int? Activations, int? Familles);

internal sealed record GrappeAnswer(IReadOnlyList<SiloAnswer> Silos)
{
    public static GrappeAnswer Of(IEnumerable<SiloLoad> loads) => new(
    [
        .. loads.Select(load => new SiloAnswer(
            load.Silo.Endpoint.ToString(), load.Silo.Endpoint.Port, load.Status is SiloStatus.Active ? "actif" : "s_arrete", load.Activations, load.Familles)),
    ]);
}

internal sealed record SilosAnswer(int Actifs, int Obeis);

internal sealed record OrdreAnswer(Guid Ordre, string Conserve, SilosAnswer Silos, int FamillesActives)
{
    public static OrdreAnswer Of(ActionReport report) => new(
        report.Ordre.Id, Kept(report.Report.Kept), new(report.Report.Silos, report.Report.Obeyed), report.Report.Familles);

    internal static string Kept(OrdreKept kept) => kept switch
    {
        OrdreKept.InDatabase => "base",
        OrdreKept.InMemory => "memoire",
        _ => "base_injoignable",
    };
}

internal sealed record OubliAnswer(Guid Ordre, string Conserve, SilosAnswer Silos, int FamillesActives, int Stockees, int Identites, int IdentitesStockees, string Stockage)
{
    public static OubliAnswer Of(ActionReport report) => new(
        report.Ordre.Id,
        OrdreAnswer.Kept(report.Report.Kept),
        new(report.Report.Silos, report.Report.Obeyed),
        report.Report.Familles,
        report.Removed.Familles,
        report.Report.Identites,
        report.Removed.Identites,
        Effect(report.Store));

    internal static string Effect(StoreEffect effect) => effect switch
    {
        StoreEffect.Done => "fait",
        StoreEffect.Owed => "injoignable",
        _ => "absent",
    };
}

internal sealed record PartieAnswer(
    string Partie, long Version, DateTimeOffset Situation, long AgeSecondes, DateTimeOffset FraicheJusqua, bool Depassee, string Source)
{
    public static PartieAnswer Of(PartState part, DateTimeOffset now) => new(
        part.Part, part.Version, part.LoadedAt, (long)(now - part.LoadedAt).TotalSeconds, part.FreshUntil, part.Superseded, part.Source);
}

internal sealed record StockeeAnswer(DateTimeOffset? PlusAncienChargement, DateTimeOffset? PlusRecentChargement, DateTimeOffset? ExpireA, long VersionMinimale);

internal sealed record EtatAnswer(
    bool Active, string? Silo, long? VersionConnue, IReadOnlyList<PartieAnswer> Parties, string Stockage, StockeeAnswer? Stockee, int SilosActifs, int SilosRepondus)
{
    public static EtatAnswer Of(FamilleLook look, DateTimeOffset now) => new(
        look.State is not null,
        look.Silo,
        look.State?.Newest,
        [.. (look.State?.Parts ?? []).Select(part => PartieAnswer.Of(part, now))],
        OubliAnswer.Effect(look.Store) is "fait" ? "lu" : OubliAnswer.Effect(look.Store),
        look.Stored is { } stored ? new(stored.OldestLoad, stored.NewestLoad, stored.ExpiresAt, stored.LeastVersion) : null,
        look.Silos,
        look.Answered);
}

internal sealed record PrechauffageAnswer(
    string Etat, int ParSeconde, DateTimeOffset? DemarreA, DateTimeOffset? TermineA, int Vues, int Rechargees, int Fraiches, int Echecs)
{
    public static PrechauffageAnswer Of(PrechauffageState state) => new(
        state.Phase switch
        {
            PrechauffagePhase.Running => "en_cours",
            PrechauffagePhase.Done => "termine",
            PrechauffagePhase.Stopped => "arrete",
            PrechauffagePhase.Failed => "interrompu",
            _ => "aucun",
        },
        state.PerSecond,
        state.StartedAt,
        state.EndedAt,
        state.Seen,
        state.Refreshed,
        state.Fresh,
        state.Failed);
}

internal sealed record AdminProblem(string Title, int Status, string Detail);

/// <summary>How answers are written.</summary>
internal static class AdminAnswers
{
    private static readonly JsonSerializerOptions Writing = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static IResult Ok<T>(T answer) => Results.Json(answer, Writing);

    public static IResult Problem(int status, string title, string detail) =>
        Results.Json(new AdminProblem(title, status, detail), Writing, "application/problem+json", status);
}
