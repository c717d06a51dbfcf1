using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Connections.Features;

namespace DroitsAmeli.Simulators.RegimeSi;

/// <summary>The calls with which the sandbox steers the simulator; no part of the SI's contract.</summary>
internal static class SandboxEndpoints
{
    private const long MostTouched = 1_000_000;

    private static readonly object AdminConnection = new();

    private sealed record ChangeAsked(ChangeKind? Kind, string? Nir);

    private sealed record BurstAsked(long Nombre, long Premiere = 0, long ParSeconde = 0);

    private sealed record BurstDone(long Nombre, string Premiere, string Derniere, double Secondes);

    private sealed record ChangeDone(string Famille, long Version, string? NouvelleFamille);

    private sealed record PersonaShown(string Id, string Description, IdentiteFranceConnect Identite, string? Famille, string? Nir);

    private sealed record Refusal(string Erreur);

    /// <summary>Marks the connections of the admin port.</summary>
    public static void MarkAdmin(Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions listen) => listen.Use(next => connection =>
    {
        connection.Items[AdminConnection] = true;
        return next(connection);
    });

    public static void MapSandbox(this WebApplication app, bool onAdminPortOnly, SiBehaviour behaviour, FamilleStore store, EvenementFeed feed)
    {
        app.MapGet("/sandbox/compteurs", () => Json(behaviour.Compteurs));

        var sandbox = app.MapGroup("/sandbox").AddEndpointFilter(async (call, next) =>
            onAdminPortOnly && !IsAdmin(call.HttpContext) ? Results.NotFound() : await next(call));
        sandbox.MapDelete("/compteurs", () =>
        {
            behaviour.ResetCompteurs();
            return Results.NoContent();
        });
        sandbox.MapGet("/reglages", () => Json(behaviour.Reglages));
        sandbox.MapPut("/reglages", async (HttpRequest request) => await ReplaceReglages(request, behaviour));
        sandbox.MapGet("/personas", () => Json(Personas.All.Select(persona => Show(persona, store))));
        sandbox.MapGet("/personas/{id}", (string id) =>
            store.Population.FindPersona(id) is { } persona ? Json(Show(persona, store)) : Json(new Refusal("Persona inconnue."), StatusCodes.Status404NotFound));
        sandbox.MapPost("/familles/{famille}/changements", async (string famille, HttpRequest request) => await ChangeFamille(famille, request, store));
        sandbox.MapPost("/evenements/rafale", async (HttpRequest request) => await TouchMany(request, store));
        sandbox.MapPost("/evenements/oubli", () =>
        {
            feed.Forget();
            return Results.NoContent();
        });
    }

    private static bool IsAdmin(HttpContext context) =>
        context.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(AdminConnection) == true;

    private static async Task<IResult> ReplaceReglages(HttpRequest request, SiBehaviour behaviour)
    {
        if (await Read<Reglages>(request) is not { } reglages)
            return Json(new Refusal("Réglages illisibles : objet JSON attendu, avec les noms et les valeurs documentés."), StatusCodes.Status400BadRequest);
        if (reglages.Problem() is { } problem)
            return Json(new Refusal(problem), StatusCodes.Status400BadRequest);

        behaviour.Replace(reglages);
        return Json(reglages);
    }

    private static async Task<IResult> ChangeFamille(string famille, HttpRequest request, FamilleStore store)
    {
        if (await Read<ChangeAsked>(request) is not { Kind: { } kind } asked)
            return Json(new Refusal("Changement inconnu : kind est touch, end_medecin_traitant, add_ald, remove_membre, move_membre ou close."),
                StatusCodes.Status400BadRequest);

        return store.Change(famille, kind, asked.Nir) is { } done
            ? Json(new ChangeDone(famille, done.Version, done.NewFamille))
            : Json(new Refusal("Famille ou membre inconnu."), StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> TouchMany(HttpRequest request, FamilleStore store)
    {
        if (await Read<BurstAsked>(request) is not { Nombre: > 0 and <= MostTouched, Premiere: >= 0, ParSeconde: >= 0 } asked)
            return Json(
                new Refusal($"Rafale illisible : nombre de 1 à {MostTouched}, et si l'on veut premiere (rang d'une famille) et par_seconde (0 : au plus vite)."),
                StatusCodes.Status400BadRequest);

        var began = Stopwatch.GetTimestamp();
        string? first = null, last = null;
        for (long done = 0; done < asked.Nombre; done++)
        {
            last = store.Touch(asked.Premiere + done);
            first ??= last;
            if (asked.ParSeconde > 0 && TimeSpan.FromSeconds((done + 1) / (double)asked.ParSeconde) - Stopwatch.GetElapsedTime(began) is { TotalMilliseconds: > 5 } early)
                await Task.Delay(early, TimeProvider.System, request.HttpContext.RequestAborted);
        }
        return Json(new BurstDone(asked.Nombre, first!, last!, Stopwatch.GetElapsedTime(began).TotalSeconds));
    }

    private static PersonaShown Show(Persona persona, FamilleStore store)
    {
        var found = store.Population.Match(IdentiteDemandee.Of(persona.Identite));
        if (found is not [var (famille, membre)])
            return new PersonaShown(persona.Id, persona.Description, persona.Identite, null, null);

        var nir = membre.Beneficiaire.Nir!;
        return new PersonaShown(persona.Id, persona.Description, persona.Identite, store.FamilleOf(famille, nir), nir);
    }

    private static async Task<T?> Read<T>(HttpRequest request) where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(request.Body, SandboxJson, request.HttpContext.RequestAborted);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static readonly JsonSerializerOptions SandboxJson = new(SiReply.Json)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    private static IResult Json<T>(T value, int status = StatusCodes.Status200OK) => Results.Json(value, SiReply.Json, statusCode: status);
}
