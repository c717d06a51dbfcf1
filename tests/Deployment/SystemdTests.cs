using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Tests.Storage;

namespace DroitsAmeli.Tests.Deployment;

public sealed class SystemdTests
{
    private const int WorstExposure = 20;
    private static readonly string Folder = Path.Combine(Repository.Root, "deploy", "systemd");

    public static TheoryData<string> Services => new("droits-silo@.service", "droits-api.service", "droits-migration.service");

    [Fact]
    public async Task The_units_are_well_formed()
    {
        Tool.Need("systemd-analyze");
        var copies = Directory.CreateTempSubdirectory("droits-units-");
        try
        {
            foreach (var unit in Directory.GetFiles(Folder, "*.service").Concat(Directory.GetFiles(Folder, "*.target")))
            {
                // The runtime may be elsewhere here.
                var text = await File.ReadAllTextAsync(unit, TestContext.Current.CancellationToken);
                await File.WriteAllTextAsync(
                    Path.Combine(copies.FullName, Path.GetFileName(unit)), text.Replace("/usr/bin/dotnet", "/bin/sh", StringComparison.Ordinal), TestContext.Current.CancellationToken);
            }

            var (code, output, errors) = await Tool.Run("systemd-analyze", ["verify", "--man=no", .. copies.GetFiles().Select(file => file.FullName)]);

            Assert.Equal((0, "", ""), (code, output, errors));
        }
        finally
        {
            copies.Delete(recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Services))]
    public async Task A_service_may_do_little_beyond_its_work(string service)
    {
        Tool.Need("systemd-analyze");
        var (code, output, errors) = await Tool.Run(
            "systemd-analyze", "security", "--offline=true", $"--threshold={WorstExposure}", "--no-pager", Path.Combine(Folder, service));

        Assert.True(code == 0, output + errors);
        Assert.Contains("LimitCORE=0", File.ReadLines(Path.Combine(Folder, service)));
    }

    [Theory]
    [InlineData("droits-silo@.service")]
    [InlineData("droits-api.service")]
    public void A_service_has_the_time_it_needs_to_stop(string service)
    {
        var stop = Assert.Single(File.ReadLines(Path.Combine(Folder, service)), line => line.StartsWith("TimeoutStopSec=", StringComparison.Ordinal));
        Assert.Equal("TimeoutStopSec=150", stop);
        Assert.True(150 > new ClusterSettings().StopSeconds);
    }

    [Fact]
    public async Task Every_setting_exists_and_is_good_and_two_silos_of_one_machine_share_no_port()
    {
        var silos = new List<Dictionary<string, string?>>();
        foreach (var instance in new[] { "1", "2" })
        {
            var silo = Variables("silo.env", $"silo-{instance}.env");
            foreach (var secret in new[] { "Cluster__ConnectionString", "Storage__ConnectionString", "FranceConnect__ClientSecret", "RegimeSi__ApiKey" })
                silo.Add(secret, null);
            await StartOf.Silo(silo);
            silos.Add(silo);
        }

        var api = Variables("api.env");
        api.Add("Cluster__ConnectionString", null);
        await StartOf.FrontEnd(api);

        var ports = silos.SelectMany(silo => new[] { silo["Cluster__SiloPort"], silo["Cluster__GatewayPort"], silo["Admin__Urls"] }).ToList();
        Assert.Equal(ports.Count, ports.Distinct().Count());
    }

    private static Dictionary<string, string?> Variables(params string[] files)
    {
        var variables = files.SelectMany(file => File.ReadLines(Path.Combine(Folder, file))).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => (string?)pair[1]);
        foreach (var name in variables.Keys)
        {
            KnownSettings.AssertKnown(name);
            Assert.DoesNotMatch("(?i)secret|password|apikey|connectionstring", name);

            // systemd drops what is no name of a variable.
            Assert.Matches("^[A-Za-z_][A-Za-z0-9_]*$", name);
        }

        return variables;
    }
}
