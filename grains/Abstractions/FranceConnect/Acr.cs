namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>The eIDAS levels of FranceConnect, lowest first.</summary>
public enum AcrLevel
{
    Eidas1 = 1,
    Eidas2 = 2,
    Eidas3 = 3,
}

/// <summary>The <c>acr</c> claim: a space-separated list in which each level must be known, and the lowest counts.</summary>
public static class Acr
{
    /// <summary>The level that counts; null when the list is empty or any of its levels is unknown.</summary>
    public static AcrLevel? LowestOf(string? acr)
    {
        if (string.IsNullOrEmpty(acr))
            return null;
        AcrLevel? lowest = null;
        foreach (var word in acr.Split(' '))
        {
            if (LevelOf(word) is not { } level)
                return null;
            if (lowest is null || level < lowest)
                lowest = level;
        }

        return lowest;
    }

    private static AcrLevel? LevelOf(string word) => word switch
    {
        "eidas1" => AcrLevel.Eidas1,
        "eidas2" => AcrLevel.Eidas2,
        "eidas3" => AcrLevel.Eidas3,
        _ => null,
    };
}
