using Orleans.Concurrency;
using Orleans.Services;

namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// The keeper: the one that lends the slots, of which there are <c>RegimeSi:MaxConcurrentCalls</c>. Its alias and its key say emplacements,
/// which silos of the version before know. Should the directory ever hold two of them (a silo cut off that does not know it yet),
/// the SI may see twice the cap, for one lease at most: the one that is cut off reaches nobody but its own silo.
/// </summary>
[Alias("droits.emplacements-si")]
public interface ISlotsGrain : IGrainWithStringKey
{
    /// <summary>The key of the one activation.</summary>
    const string Key = "si-emplacements";

    /// <summary>Renews, extends or gives back what a silo holds.</summary>
    [Alias("renew"), ResponseTimeout(SlotTiming.RenewalTimeout)]
    Task<SlotGrant> Renew(SlotRequest request);
}

/// <summary>What the keeper of the slots asks of a silo, and tells it.</summary>
[Alias("droits.emplacements-si.service")]
public interface ISlotsService : IGrainService
{
    /// <summary>What the silo holds; answers to questions it asked before are void from now on.</summary>
    [Alias("report"), ResponseTimeout(SlotTiming.ReportTimeout)]
    Task<SlotReport> Report();

    /// <summary>Another silo has calls for what this one holds beyond its share: it asks the keeper anew, at once.</summary>
    [Alias("recall"), OneWay]
    Task Recall();

    /// <summary>Keeps a copy of the ledger, in place of an earlier one, for the case that the keeper and its silo are lost.</summary>
    [Alias("keep-copy"), OneWay]
    Task KeepCopy(SlotLedgerState ledger);
}

/// <summary>What a silo holds, would like to hold and has calls for (null: as many as it wants); see <see cref="SlotLedger.Renew"/>.</summary>
[GenerateSerializer, Immutable, Alias("droits.slot-request")]
public sealed record SlotRequest(
    [property: Id(0)] string Silo,
    [property: Id(1)] long Sequence,
    [property: Id(2)] int Held,
    [property: Id(3)] int Wanted,
    [property: Id(4)] int? Needed = null);

/// <summary>What a silo may use, from the moment it asked.</summary>
[GenerateSerializer, Immutable, Alias("droits.slot-grant")]
public sealed record SlotGrant(
    [property: Id(0)] int Allowance,
    [property: Id(1)] TimeSpan Lease);

/// <summary>What a silo holds, how long ago it saw another die, and the copy of the ledger that it was given last, with its age.</summary>
[GenerateSerializer, Immutable, Alias("droits.slot-report")]
public sealed record SlotReport(
    [property: Id(0)] string Silo,
    [property: Id(1)] long Sequence,
    [property: Id(2)] int Held,
    [property: Id(3)] TimeSpan? SinceLastDeath,
    [property: Id(4)] SlotLedgerState? Copy = null,
    [property: Id(5)] TimeSpan CopyAge = default);

/// <summary>A ledger on its way to another silo.</summary>
[GenerateSerializer, Immutable, Alias("droits.slot-ledger")]
public sealed record SlotLedgerState
{
    [Id(0)] public required SlotHolder[] Holders { get; init; }
    [Id(1)] public required int Withheld { get; init; }
    [Id(2)] public required TimeSpan WithheldFor { get; init; }
}

/// <summary>A line of a ledger on its way.</summary>
[GenerateSerializer, Immutable, Alias("droits.slot-holder")]
public sealed record SlotHolder
{
    [Id(0)] public required string Name { get; init; }
    [Id(1)] public required int Outstanding { get; init; }
    [Id(2)] public required int Wanted { get; init; }
    [Id(3)] public required long Sequence { get; init; }
    [Id(4)] public required TimeSpan Remaining { get; init; }
    [Id(5)] public int Needed { get; init; }
}
