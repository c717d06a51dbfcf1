namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>
/// The order of service. What ends a visit goes before what continues one, and that before what begins one: each call of the SI then serves
/// a visit that is answered.
/// </summary>
internal enum SlotRank
{
    LastOfVisit,
    NextOfVisit,
    AheadOfVisit,
    FirstOfVisit,
    Evenement,
    Refresh,
    WarmUp,
}

/// <summary>A call that waits for a slot.</summary>
internal sealed class SlotWaiter(SharedDemand demand, SiStage stage)
{
    private readonly TaskCompletionSource<SiSlot?> source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<SiSlot?> Task => source.Task;

    /// <summary>Where it stands in its line; set while it waits there.</summary>
    public LinkedListNode<SlotWaiter>? Place { get; set; }

    /// <summary>Its line, and its turn within; as they were when it took its place.</summary>
    public SlotRank Rank { get; private set; }

    public string Convention { get; private set; } = "";

    public SiDemand Demand => demand.Current;

    /// <summary>True when the demand has grown so that line or turn are others.</summary>
    public bool HasOutgrownPlace => (RankOf(demand.Current), demand.Current.Convention ?? "") != (Rank, Convention);

    /// <summary>Takes the demand as it is now.</summary>
    public void Settle() => (Rank, Convention) = (RankOf(demand.Current), demand.Current.Convention ?? "");

    public void Complete(SiSlot? slot) => source.TrySetResult(slot);

    public void Cancel(CancellationToken cancellationToken) => source.TrySetCanceled(cancellationToken);

    private SlotRank RankOf(SiDemand now) => now.Priority switch
    {
        SiPriority.Present => stage switch
        {
            SiStage.Droits => SlotRank.LastOfVisit,
            SiStage.Composition when !now.First => SlotRank.NextOfVisit,
            _ => SlotRank.FirstOfVisit,
        },
        SiPriority.Ahead => now.First ? SlotRank.FirstOfVisit : SlotRank.AheadOfVisit,
        SiPriority.Evenement => SlotRank.Evenement,
        SiPriority.Refresh => SlotRank.Refresh,
        _ => SlotRank.WarmUp,
    };
}
