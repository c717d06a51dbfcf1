using CsCheck;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.RegimeSi;

public sealed class SlotLedgerTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(6);

    private readonly FakeTimeProvider time = new();

    [Fact]
    public void Lends_what_is_wanted_while_there_is_enough()
    {
        var ledger = new SlotLedger(8, Lease, time);
        Assert.Equal(new SlotGrant(4, Lease), ledger.Renew("a", 1, held: 0, wanted: 4));
        Assert.Equal(4, ledger.Renew("b", 1, held: 0, wanted: 4).Allowance);
        Assert.Equal(0, ledger.Renew("c", 1, held: 0, wanted: 4).Allowance);
        Assert.Equal(8, ledger.Outstanding);
    }

    [Fact]
    public void Asks_back_what_exceeds_an_equal_share_and_lends_it_once_it_is_back()
    {
        var ledger = new SlotLedger(8, Lease, time);
        ledger.Renew("a", 1, 0, 8);
        Assert.Equal(0, ledger.Renew("b", 1, 0, 8).Allowance);
        Assert.Equal(4, ledger.Renew("a", 2, 8, 8).Allowance);
        Assert.Equal(0, ledger.Renew("b", 2, 0, 8).Allowance);
        Assert.Equal(4, ledger.Renew("a", 3, 4, 8).Allowance);
        Assert.Equal(4, ledger.Renew("b", 3, 0, 8).Allowance);
    }

    [Fact]
    public void Gives_a_small_demand_all_it_wants()
    {
        var ledger = new SlotLedger(8, Lease, time);
        ledger.Renew("a", 1, 0, 2);
        ledger.Renew("b", 1, 0, 8);
        Assert.Equal(2, ledger.Renew("a", 2, 2, 2).Allowance);
        Assert.Equal(6, ledger.Renew("b", 2, 6, 8).Allowance);
    }

    [Fact]
    public void A_lease_that_is_not_renewed_ends()
    {
        var ledger = new SlotLedger(4, Lease, time);
        ledger.Renew("a", 1, 0, 4);
        time.Advance(Lease - TimeSpan.FromTicks(1));
        Assert.Equal(0, ledger.Renew("b", 1, 0, 4).Allowance);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(4, ledger.Renew("b", 2, 0, 4).Allowance);
    }

    [Fact]
    public void An_overtaken_question_changes_nothing()
    {
        var ledger = new SlotLedger(4, Lease, time);
        ledger.Renew("a", 2, 0, 4);
        Assert.Equal(new SlotGrant(0, TimeSpan.Zero), ledger.Renew("a", 1, 0, 0));
        Assert.Equal(4, ledger.Outstanding);
    }

    [Fact]
    public void What_is_needed_goes_before_what_is_kept_ready()
    {
        var ledger = new SlotLedger(8, Lease, time);
        Assert.Equal(8, ledger.Renew("a", 1, held: 0, wanted: 8, needed: 1).Allowance);
        Assert.Equal(0, ledger.Renew("b", 1, held: 0, wanted: 8, needed: 6).Allowance);
        Assert.Equal(["a"], ledger.Recall());
        Assert.Empty(ledger.Recall());
        Assert.Equal(2, ledger.Renew("a", 2, held: 8, wanted: 8, needed: 1).Allowance);
        Assert.Equal(2, ledger.Renew("a", 3, held: 2, wanted: 8, needed: 1).Allowance);
        Assert.Equal(6, ledger.Renew("b", 2, held: 0, wanted: 8, needed: 6).Allowance);
        Assert.Empty(ledger.Recall());
    }

    [Fact]
    public void With_fewer_slots_than_holders_the_slot_travels()
    {
        var ledger = new SlotLedger(1, Lease, time);
        var holding = new Dictionary<string, int> { ["a"] = 0, ["b"] = 0, ["c"] = 0 };
        var served = new HashSet<string>();
        for (var round = 1; round <= 24; round++)
        {
            foreach (var holder in holding.Keys)
            {
                time.Advance(TimeSpan.FromMilliseconds(50));
                holding[holder] = ledger.Renew(holder, round, holding[holder], 1).Allowance;
                if (holding[holder] == 1)
                    served.Add(holder);
            }
        }
        Assert.Equal(["a", "b", "c"], served.Order());
    }

    [Fact]
    public void Keeps_back_for_one_lease_what_nobody_known_holds()
    {
        var ledger = new SlotLedger(8, Lease, time);
        ledger.Adopt("a", 3, 2);
        ledger.WithholdRest();
        Assert.Equal(2, ledger.Renew("a", 4, 2, 8).Allowance);
        Assert.Equal(0, ledger.Renew("b", 1, 0, 8).Allowance);
        time.Advance(Lease);
        Assert.True(ledger.Renew("b", 2, 0, 8).Allowance > 0);
    }

    [Fact]
    public void A_ledger_that_moved_goes_on()
    {
        var ledger = new SlotLedger(8, Lease, time);
        ledger.Adopt("a", 3, 2);
        ledger.WithholdRest();
        time.Advance(TimeSpan.FromSeconds(2));

        var moved = new SlotLedger(8, Lease, time);
        moved.Load(ledger.Save());
        Assert.Equal(2, moved.Outstanding);
        Assert.Equal(0, moved.Renew("b", 1, 0, 8).Allowance);
        Assert.Equal(0, moved.Renew("a", 3, 0, 0).Allowance);
        Assert.Equal(2, moved.Outstanding);
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(0, moved.Outstanding);
        Assert.Equal(8, moved.Renew("b", 2, 0, 8).Allowance);
    }

    [Fact]
    public void A_copy_of_a_lost_ledger_keeps_back_what_was_held_until_its_lease_ends_and_no_more()
    {
        var lost = new SlotLedger(8, Lease, time);
        lost.Renew("dead", 1, 0, 3);
        lost.Renew("alive", 1, 0, 2);
        var copy = lost.Save();
        time.Advance(TimeSpan.FromSeconds(2));

        var ledger = new SlotLedger(8, Lease, time);
        ledger.Recover(copy, TimeSpan.FromSeconds(2));
        ledger.Adopt("alive", 4, 1);
        Assert.Equal(4, ledger.Outstanding);
        Assert.Equal(5, ledger.Renew("alive", 5, 1, 8).Allowance);
        time.Advance(Lease - TimeSpan.FromSeconds(2) - TimeSpan.FromTicks(1));
        Assert.Equal(5, ledger.Renew("alive", 6, 5, 8).Allowance);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(8, ledger.Renew("alive", 7, 5, 8).Allowance);
    }

    [Fact]
    public void A_copy_older_than_the_leases_keeps_nothing_back()
    {
        var lost = new SlotLedger(8, Lease, time);
        lost.Adopt("dead", 1, 2);
        lost.WithholdRest();
        var copy = lost.Save();

        var ledger = new SlotLedger(8, Lease, time);
        ledger.Recover(copy, Lease);
        Assert.Equal(8, ledger.Renew("alive", 1, 0, 8).Allowance);
    }

    [Fact]
    public void A_silent_holder_that_asks_again_goes_on_from_where_it_was()
    {
        var lost = new SlotLedger(8, Lease, time);
        lost.Renew("silent", 5, 0, 3);
        var ledger = new SlotLedger(8, Lease, time);
        ledger.Recover(lost.Save(), TimeSpan.Zero);

        Assert.Equal(0, ledger.Renew("silent", 5, 0, 8).Allowance);
        Assert.Equal(3, ledger.Outstanding);
        Assert.Equal(8, ledger.Renew("silent", 6, 3, 8).Allowance);
    }

    /// <summary>Holders that come, go, shrink late, lose answers and die: what they may use never exceeds the cap.</summary>
    [Fact]
    public void Never_more_than_the_cap_is_out() =>
        Gen.Select(Gen.Int[1, 12], Gen.Select(Gen.Int[0, 3], Gen.Int[0, 12], Gen.Int[0, 4], Gen.Int[0, 12]).Array[1, 80]).Sample((cap, steps) =>
        {
            var clock = new FakeTimeProvider();
            var ledger = new SlotLedger(cap, Lease, clock);
            var held = new int[4];
            var until = new DateTimeOffset[4];
            for (var i = 0; i < steps.Length; i++)
            {
                var (who, wanted, what, amount) = steps[i];
                clock.Advance(TimeSpan.FromMilliseconds(300 * amount));
                for (var each = 0; each < held.Length; each++)
                    held[each] = until[each] <= clock.GetUtcNow() ? 0 : held[each];

                // The holder finishes some calls, and never uses again what it gave back.
                held[who] = Math.Max(0, held[who] - amount % 3);
                var grant = ledger.Renew($"silo {who}", i + 1, held[who], wanted);
                var answerLost = what == 0;
                if (!answerLost)
                {
                    until[who] = clock.GetUtcNow() + grant.Lease;
                    held[who] = Math.Max(held[who], grant.Allowance);
                }
                Assert.InRange(held.Sum(), 0, cap);
                Assert.InRange(ledger.Outstanding, held.Sum(), cap);
                if (what == 1)
                {
                    var moved = new SlotLedger(cap, Lease, clock);
                    moved.Load(ledger.Save());
                    ledger = moved;
                }
            }
        });
}
