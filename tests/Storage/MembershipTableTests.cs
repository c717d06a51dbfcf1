using System.Globalization;
using System.Net;
using DroitsAmeli.Grains.Storage.Schema;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Messaging;
using Orleans.Runtime;
using Orleans.Runtime.Membership;
using Orleans.Runtime.MembershipService;

namespace DroitsAmeli.Tests.Storage;

/// <summary>Our texts under Orleans' own membership table.</summary>
public sealed class MembershipTableTests(Databases databases)
{
    private const string Cluster = "c1";
    private static readonly DateTime Start = new(2026, 3, 1, 8, 30, 0, 123, DateTimeKind.Utc);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_silo_that_joins_is_read_back_as_it_was_written()
    {
        var table = await Table();
        var silo = Entry(11111, SiloStatus.Joining);

        Assert.True(await table.InsertRowAsync(silo, Next(await table.ReadAllAsync(Stop)), Stop));

        var all = await table.ReadAllAsync(Stop);
        Assert.Equal(1, all.Version.Version);
        foreach (var read in new[] { Assert.Single(all.Members).Item1, Assert.Single((await table.ReadRowAsync(silo.SiloAddress, Stop)).Members).Item1 })
        {
            Assert.Equal(
                (silo.SiloAddress, silo.SiloName, silo.HostName, silo.Status, silo.ProxyPort, silo.StartTime, silo.IAmAliveTime),
                (read.SiloAddress, read.SiloName, read.HostName, read.Status, read.ProxyPort, read.StartTime, read.IAmAliveTime));
            Assert.Null(read.SuspectTimes);
        }
    }

    [Fact]
    public async Task The_version_is_read_beside_no_silo()
    {
        var table = await Table();
        Assert.Equal((0, 0), (Version(await table.ReadAllAsync(Stop)), (await table.ReadAllAsync(Stop)).Members.Count));

        await table.InsertRowAsync(Entry(11111), Next(await table.ReadAllAsync(Stop)), Stop);
        var other = await table.ReadRowAsync(Entry(22222).SiloAddress, Stop);

        Assert.Equal((1, 0), (Version(other), other.Members.Count));
    }

    [Fact]
    public async Task Of_silos_that_join_at_once_from_one_version_one_does()
    {
        var table = await Table();
        var next = Next(await table.ReadAllAsync(Stop));

        var joined = await Task.WhenAll(Enumerable.Range(1, 40).Select(number => table.InsertRowAsync(Entry(10_000 + number), next, Stop)));

        Assert.Single(joined, done => done);
        var all = await table.ReadAllAsync(Stop);
        Assert.Equal((1, 1), (Version(all), all.Members.Count));
    }

    [Fact]
    public async Task A_silo_joins_once()
    {
        var table = await Table();
        await table.InsertRowAsync(Entry(11111), Next(await table.ReadAllAsync(Stop)), Stop);

        Assert.False(await table.InsertRowAsync(Entry(11111), Next(await table.ReadAllAsync(Stop)), Stop));
        Assert.Equal(1, Version(await table.ReadAllAsync(Stop)));
    }

    [Fact]
    public async Task A_change_needs_the_version_it_was_made_from_and_a_silo_that_is_known()
    {
        var table = await Table();
        var silo = Entry(11111);
        await table.InsertRowAsync(silo, Next(await table.ReadAllAsync(Stop)), Stop);
        var read = await table.ReadAllAsync(Stop);
        silo.Status = SiloStatus.Dead;
        silo.AddSuspector(Entry(22222).SiloAddress, Start);

        var changed = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => table.UpdateRowAsync(silo, read.Members[0].Item2, Next(read), Stop)));

        Assert.Single(changed, done => done);
        Assert.False(await table.UpdateRowAsync(silo, read.Members[0].Item2, Next(read), Stop));
        var all = await table.ReadAllAsync(Stop);
        Assert.False(await table.UpdateRowAsync(Entry(33333), all.Members[0].Item2, Next(all), Stop));
        all = await table.ReadAllAsync(Stop);
        Assert.Equal(2, Version(all));
        var now = Assert.Single(all.Members).Item1;
        Assert.Equal(SiloStatus.Dead, now.Status);
        Assert.Equal(Entry(22222).SiloAddress, Assert.Single(now.SuspectTimes!).Item1);
    }

    [Fact]
    public async Task A_sign_of_life_moves_no_version()
    {
        var table = await Table();
        var silo = Entry(11111);
        await table.InsertRowAsync(silo, Next(await table.ReadAllAsync(Stop)), Stop);
        silo.IAmAliveTime = Start.AddMinutes(5);

        await table.UpdateIAmAliveAsync(silo, Stop);

        var all = await table.ReadAllAsync(Stop);
        Assert.Equal((1, Start.AddMinutes(5)), (Version(all), Assert.Single(all.Members).Item1.IAmAliveTime));
    }

    [Fact]
    public async Task Old_rows_are_cleaned_up_but_never_an_active_silo()
    {
        var table = await Table();
        await Join(Entry(1, SiloStatus.Dead), Entry(2, SiloStatus.Active), Entry(3, SiloStatus.Joining), Entry(4, SiloStatus.Dead, Start.AddDays(1)));

        await table.CleanupDefunctSiloEntriesAsync(Start.AddHours(1), Stop);

        Assert.Equal([2, 4], (await table.ReadAllAsync(Stop)).Members.Select(member => member.Item1.SiloAddress.Endpoint.Port).Order());

        async Task Join(params MembershipEntry[] silos)
        {
            foreach (var silo in silos)
                Assert.True(await table.InsertRowAsync(silo, Next(await table.ReadAllAsync(Stop)), Stop));
        }
    }

    [Fact]
    public async Task A_cluster_is_deleted_with_its_silos_and_no_other_is()
    {
        var database = await Database();
        var (mine, other) = (await Table(database), await Table(database, "c2"));
        await mine.InsertRowAsync(Entry(1), Next(await mine.ReadAllAsync(Stop)), Stop);
        await other.InsertRowAsync(Entry(2), Next(await other.ReadAllAsync(Stop)), Stop);

        await mine.DeleteMembershipTableEntriesAsync(Cluster, Stop);
        await mine.InitializeMembershipTableAsync(true, Stop);

        Assert.Empty((await mine.ReadAllAsync(Stop)).Members);
        Assert.Single((await other.ReadAllAsync(Stop)).Members);
    }

    [Fact]
    public async Task Front_ends_are_told_the_gateways_of_active_silos()
    {
        var database = await Database();
        var table = await Table(database);
        foreach (var silo in new[] { Entry(1), Entry(2, SiloStatus.Dead), Entry(3, gateway: 0), Entry(4) })
            await table.InsertRowAsync(silo, Next(await table.ReadAllAsync(Stop)), Stop);
        var gateways = new AdoNetGatewayListProvider(
            NullLogger<AdoNetGatewayListProvider>.Instance,
            new ServiceCollection().BuildServiceProvider(),
            Options.Create(new AdoNetClusteringClientOptions { Invariant = "Npgsql", ConnectionString = database }),
            Options.Create(new GatewayOptions()),
            Options.Create(new ClusterOptions { ClusterId = Cluster }));

        await gateways.InitializeGatewayListProvider();

        Assert.Equal(
            [30001, 30004],
            (await gateways.GetGateways()).Select(gateway => gateway.Port).Order());
    }

    private static MembershipEntry Entry(int port, SiloStatus status = SiloStatus.Active, DateTime? alive = null, int? gateway = null) => new()
    {
        SiloAddress = SiloAddress.New(IPAddress.Loopback, port, 7),
        SiloName = "silo-" + port.ToString(CultureInfo.InvariantCulture),
        HostName = "host",
        Status = status,
        ProxyPort = gateway ?? (30000 + port) % 65536,
        StartTime = Start,
        IAmAliveTime = alive ?? Start,
    };

    private static int Version(MembershipTableData table) => table.Version.Version;

    private static TableVersion Next(MembershipTableData table) => table.Version.Next();

    private async Task<string> Database()
    {
        var database = await databases.Create();
        await SchemaMigrations.OfThisBuild.Apply(database, TestContext.Current.CancellationToken);
        return database;
    }

    private async Task<IMembershipTable> Table() => await Table(await Database());

    private static async Task<IMembershipTable> Table(string database, string cluster = Cluster)
    {
        var table = new AdoNetClusteringTable(
            new ServiceCollection().BuildServiceProvider(),
            Options.Create(new ClusterOptions { ClusterId = cluster, ServiceId = "s" }),
            Options.Create(new AdoNetClusteringSiloOptions { Invariant = "Npgsql", ConnectionString = database }),
            NullLogger<AdoNetClusteringTable>.Instance);
        await table.InitializeMembershipTableAsync(true, Stop);
        return table;
    }
}
