using DroitsAmeli.Grains.FranceConnect;
using DroitsAmeli.Grains.RegimeSi;
using Orleans.Concurrency;

namespace DroitsAmeli.Grains.Identites;

/// <summary>
/// What the régime SI says of one identity: the family and the user's NIR, asked once and remembered. Key: <see cref="IdentiteKeys"/>.
/// </summary>
[Alias("droits.identite")]
internal interface IIdentiteGrain : IGrainWithStringKey
{
    /// <summary>The family and the NIR, or why there are none.</summary>
    /// <param name="request">The canonical request; it travels with each call because only its HMAC is kept.</param>
    /// <param name="rejectedFamille">A family that no longer is the user's: what led to it is forgotten before anything is answered.</param>
    /// <param name="convention">The convention that asks, for its turn where the SI is scarce.</param>
    /// <param name="jetonExpiresAt">When the user's token dies: a look-up that has not begun by then is not made.</param>
    /// <param name="cancellationToken">Ends the wait, never the shared look-up.</param>
    [AlwaysInterleave, Alias("identify")]
    Task<IdentiteReply> Identify(
        IdentificationRequest request,
        string? rejectedFamille,
        string? convention = null,
        DateTimeOffset? jetonExpiresAt = null,
        CancellationToken cancellationToken = default);
}
