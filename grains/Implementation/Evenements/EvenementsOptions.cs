using System.ComponentModel.DataAnnotations;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>How the régime SI's change feed is followed, <c>Evenements:*</c>.</summary>
public sealed class EvenementsOptions
{
    public const string Section = "Evenements";

    /// <summary>How long the SI may hold an answer back while there is no event, in seconds.</summary>
    [Range(1, 60, ErrorMessage = "Evenements:WaitSeconds must lie between 1 and 60.")]
    public int WaitSeconds { get; set; } = 20;

    /// <summary>Over how many minutes everything is asked again after the cursor was lost; see <see cref="StaleOrdres"/> when that happens often.</summary>
    [Range(0.0, 24 * 60.0, ErrorMessage = "Evenements:StaleSpreadMinutes must lie between 0 and 1440.")]
    public double StaleSpreadMinutes { get; set; } = 15;

    internal TimeSpan Wait => TimeSpan.FromSeconds(WaitSeconds);

    /// <summary>A poll takes no longer.</summary>
    internal TimeSpan PollTimeout => Wait + TimeSpan.FromSeconds(5);

    internal TimeSpan StaleSpread => TimeSpan.FromMinutes(StaleSpreadMinutes);
}
