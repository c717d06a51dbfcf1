using System.Reflection;
using DroitsAmeli.Grains.Familles;
using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Metadata;
using Xunit;

namespace DroitsAmeli.Tests.Rules.WireContract;

/// <summary>Silos of two versions serve one cluster during an upgrade: the present build must keep what the checked-in list promises.</summary>
public sealed class WireContractTests : IDisposable
{
    private const string Variable = "DROITS_WIRE_CONTRACT";
    private const string ListPath = "tests/Rules/WireContract/contract.txt";
    private const string Command = Variable + "=write dotnet run --project tests/Rules -c Release -- -class '*.WireContractTests'";

    private static readonly Assembly[] Product =
    [
        typeof(IFamilleGrain).Assembly, typeof(SnapshotStore).Assembly, Assembly.Load("DroitsAmeli.Silo"), Assembly.Load("DroitsAmeli.Api"),
    ];

    private readonly IHost host;
    private readonly ContractReader reader;

    public WireContractTests()
    {
        // Never started: it knows the names that the runtime gives to grains.
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.UseOrleans(silo => silo.UseLocalhostClustering());
        host = builder.Build();
        reader = new(host.Services.GetRequiredService<GrainTypeResolver>(), host.Services.GetRequiredService<GrainInterfaceTypeResolver>());
    }

    private static string ListFile => Path.Combine(PreviousRevision.Root, ListPath);

    public void Dispose() => host.Dispose();

    [Fact]
    public void This_build_keeps_the_contract_that_is_checked_in()
    {
        var text = File.ReadAllLines(ListFile);
        var listed = Contract.Parse(text);
        var present = Present();
        var difference = listed.CompareTo(present);
        Assert.True(difference.Broken.Count == 0, Broken(difference));
        if (Environment.GetEnvironmentVariable(Variable) == "write")
            File.WriteAllLines(ListFile, text.TakeWhile(line => line.StartsWith('#')).Append("").Concat(listed.UpdatedTo(present).Render()));
        else
            Assert.True(difference.IsEmpty, $"The list of the wire contract lacks what this build has. Write it, and check in what changes:\n{Command}\n{string.Join('\n', difference.Added)}");
    }

    [Fact]
    public async Task The_list_keeps_or_retires_all_that_the_previous_version_promised()
    {
        var stop = TestContext.Current.CancellationToken;
        var earlier = await PreviousList(stop);
        Assert.SkipWhen(earlier is null, $"The previous version has no {ListPath}.");
        Assert.Empty(Contract.Parse(await File.ReadAllLinesAsync(ListFile, stop)).DroppedSince(earlier));
    }

    [Fact]
    public async Task The_list_marks_each_value_that_enumerations_have_got_since_the_previous_version()
    {
        var stop = TestContext.Current.CancellationToken;
        var earlier = await PreviousList(stop);
        Assert.SkipWhen(earlier is null, $"The previous version has no {ListPath}.");
        Assert.Empty(Contract.Parse(await File.ReadAllLinesAsync(ListFile, stop)).UnreadableSince(earlier));
    }

    [Fact]
    public async Task Snapshots_are_written_in_a_format_that_the_previous_version_reads()
    {
        var earlier = await PreviousList(TestContext.Current.CancellationToken);
        Assert.True(
            SnapshotCodec.Written == 1 || earlier?.Lines.ContainsKey(LaterFormat(SnapshotCodec.Written)) is true,
            $"The previous version throws away what is written in format {SnapshotCodec.Written}. Read it in this version, write it in the next.");
    }

    [Fact]
    public void Whatever_crosses_the_wire_keeps_the_rules_of_the_house() =>
        Assert.Empty(WireRules.Violations([.. Product.SelectMany(assembly => assembly.GetTypes())]));

    [Fact]
    public void The_list_names_what_is_there()
    {
        var lines = Present().Lines;
        Assert.Equal("class", lines["type droits.famille-request"]);
        Assert.Equal("Utilisateur droits.nir", lines["type droits.famille-request #0"]);
        Assert.Equal("enum int", lines["type droits.warm-up-outcome"]);
        Assert.Equal("key string", lines["interface droits.jeton"]);
        Assert.Equal("Task<droits.identite-reply>", lines["method droits.jeton/identify"]);
        Assert.Equal("token string", lines["method droits.jeton/identify #0"]);
        Assert.Equal("can be cancelled, always interleaves", lines["call droits.jeton/identify"]);
        Assert.Equal("DroitsAmeli.Grains.RegimeSi.ISlotsService", lines["interface droits.emplacements-si.service #service"]);
        Assert.Equal("", lines["grain famille #serves droits.famille-prechauffee"]);
        Assert.Equal("byte[]", lines["grain famille #migrates famille"]);
        Assert.Equal("Nir, required", lines["json DroitsBeneficiaire #Nir"]);
        Assert.Equal("DateOnly", lines["json Contrat #date_debut"]);
        Assert.Contains("json Qualite #ex_pacse", lines);
        Assert.Contains("state famille", lines);
        Assert.Equal("1", lines["format snapshot"]);
    }

    private Contract Present()
    {
        var read = reader.Read(Product);
        return Contract.Of(read.Lines.Concat(
        [
            new("format snapshot", "1"),
            .. Enumerable.Range(2, SnapshotCodec.Newest - 1).Select(format => KeyValuePair.Create(LaterFormat(format), "")),
            new("format envelope", Text(Envelope.Version)),
        ]));
    }

    private static string LaterFormat(int format) => $"format snapshot #{Text(format)}";

    private static string Text(int format) => format.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<Contract?> PreviousList(CancellationToken stop)
    {
        var revision = await PreviousRevision.Find(stop);
        var (hadList, text) = await PreviousRevision.Run(["git", "-C", PreviousRevision.Root, "show", $"{revision}:{ListPath}"], stop);
        return hadList ? Contract.Parse(text.Split('\n')) : null;
    }

    private static string Broken(ContractDifference difference) =>
        $"""
        This build breaks silos and front ends of the previous version, which serve the same cluster during an upgrade:
        {string.Join('\n', difference.Broken)}
        Keep it, and add under a new id or alias. What the previous version does without may go: put "retired " before its line in
        tests/Rules/WireContract/contract.txt, at the end; it can never be used again. A mere new name of a member, with the same
        meaning, is written into its line by hand. So is a new value of an enumeration, with "readable " before its line, once the previous
        version is never sent it, or can read it.
        """;
}
