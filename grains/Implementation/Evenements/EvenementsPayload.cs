using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.RegimeSi;
using static DroitsAmeli.Grains.RegimeSi.SiJson;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>
/// The feed's answers, read strictly: one wrong event refuses the page, because an event that is left out is never told again. Throws
/// <see cref="RefusedAnswerException"/>; properties that nobody knows are ignored and counted.
/// </summary>
public static class EvenementsPayload
{
    /// <summary>The longest cursor that is kept, in characters.</summary>
    public const int MaxCurseurLength = 1_024;

    /// <summary>A page of events.</summary>
    /// <param name="body">UTF-8 JSON.</param>
    /// <param name="apres">The cursor asked from; events that do not move it would come again for ever.</param>
    public static FeedAnswer.Page ReadPage(ReadOnlyMemory<byte> body, string? apres) => Read(body, root =>
    {
        List<Evenement>? evenements = null;
        string? curseur = null;
        foreach (var property in Properties(root))
        {
            switch (property.Name)
            {
                case "evenements": evenements = List(property.Value, ReadEvenement); break;
                case "curseur": curseur = Curseur(property.Value); break;
                default: Unknown(); break;
            }
        }

        var page = new FeedAnswer.Page([.. Mandatory(evenements)], Mandatory(curseur));
        if (page.Evenements.Length > 0 && page.Curseur == apres)
            throw new RefusedAnswerException(RefusalReason.UnknownValue);
        return page;
    });

    /// <summary>The cursor of an answer whatever else it carries, such as a 410's; null when there is none that can be read.</summary>
    public static string? ReadCurseur(ReadOnlyMemory<byte> body)
    {
        try
        {
            return Read(body, root =>
            {
                string? curseur = null;
                foreach (var property in Properties(root))
                {
                    if (property.Name == "curseur")
                        curseur = Curseur(property.Value);
                }
                return curseur;
            });
        }
        catch (RefusedAnswerException)
        {
            return null;
        }
    }

    private static Evenement ReadEvenement(System.Text.Json.JsonElement element)
    {
        string? famille = null;
        string? curseur = null;
        long? version = null;
        foreach (var property in Properties(element))
        {
            switch (property.Name)
            {
                case "curseur": curseur = Curseur(property.Value); break;
                case "famille": famille = FamilleId(property.Value); break;
                case "version": version = Version(property.Value); break;
                default: Unknown(); break;
            }
        }

        Mandatory(curseur);
        return new Evenement(Mandatory(famille), Mandatory(version));
    }

    private static string? Curseur(System.Text.Json.JsonElement element) =>
        Text(element) is { } text
            ? text.Length <= MaxCurseurLength && !text.Contains('\0') ? text : throw new RefusedAnswerException(RefusalReason.WrongType)
            : null;
}
