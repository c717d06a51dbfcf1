using System.Text;
using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Storage;

public sealed class StorageKeysTests : IDisposable
{
    private const string Secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3I=";
    private const string Connection = "Host=127.0.0.1;Database=droits";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("storage-keys");

    private string File => Path.Combine(folder.FullName, "keys.json");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Reads_the_active_key_and_the_old_ones()
    {
        var keys = StorageBench.Keys("2026-11", "2026-10", "2026-11");

        Assert.Equal("2026-11", keys.Active);
        Assert.Equal(32, keys.Find("2026-10")!.Length);
        Assert.NotEqual(keys.Find("2026-10"), keys.Find("2026-11"));
        Assert.Null(keys.Find("2026-09"));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("[]")]
    [InlineData("""{ "active": "a" }""")]
    [InlineData($$"""{ "active": 1, "keys": { "a": "{{Secret}}" } }""")]
    [InlineData($$"""{ "active": "b", "keys": { "a": "{{Secret}}" } }""")]
    [InlineData($$"""{ "active": "a", "keys": { "a": "{{Secret}}", "a": "{{Secret}}" } }""")]
    [InlineData($$"""{ "active": "a b", "keys": { "a b": "{{Secret}}" } }""")]
    [InlineData($$"""{ "active": "", "keys": { "": "{{Secret}}" } }""")]
    [InlineData("""{ "active": "a", "keys": { "a": "c2VjcmV0" } }""")]
    [InlineData("""{ "active": "a", "keys": { "a": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3J" } }""")]
    [InlineData("""{ "active": "a", "keys": { "a": null } }""")]
    public void Refuses_a_file_that_is_wrong_and_quotes_no_key(string text)
    {
        var refusal = Assert.Throws<FormatException>(() => StorageKeys.Parse(Encoding.UTF8.GetBytes(text)));

        Assert.DoesNotContain("c2VjcmV0", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_without_keys_keeps_the_process_from_starting()
    {
        Assert.Contains("Storage:KeysFile is required", Validation(("Storage:ConnectionString", Connection)), StringComparison.Ordinal);

        var missing = Validation(("Storage:ConnectionString", Connection), ("Storage:KeysFile", File));
        Assert.Contains(File, missing, StringComparison.Ordinal);

        System.IO.File.WriteAllText(File, $$"""{ "active": "b", "keys": { "a": "{{Secret}}" } }""");
        var broken = Validation(("Storage:ConnectionString", Connection), ("Storage:KeysFile", File));
        Assert.Contains("names none of the", broken, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, broken, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_with_keys_or_none_at_all_starts()
    {
        System.IO.File.WriteAllText(File, StorageBench.KeysFile("a", "a"));

        Assert.Equal("", Validation(("Storage:ConnectionString", Connection), ("Storage:KeysFile", File)));
        Assert.Equal("", Validation());
    }

    [Fact]
    public void A_broken_file_never_replaces_a_good_one_and_a_good_one_needs_no_restart()
    {
        var time = new FakeTimeProvider();
        System.IO.File.WriteAllText(File, StorageBench.KeysFile("a", "a"));
        using var keys = new ReloadedFile<StorageKeys>(File, StorageKeys.Parse, time, new Lines<StorageKeys>());

        System.IO.File.WriteAllText(File, """{ "active": "b", "keys": {} }""");
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("a", keys.Current.Active);

        System.IO.File.WriteAllText(File, StorageBench.KeysFile("b", "a", "b"));
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("b", keys.Current.Active);
        Assert.NotNull(keys.Current.Find("a"));
    }

    private static string Validation(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(setting => setting.Key, setting => (string?)setting.Value))
            .Build();
        using var services = new ServiceCollection().AddLogging().AddSnapshots(configuration).BuildServiceProvider();
        try
        {
            services.GetRequiredService<IStartupValidator>().Validate();
            return "";
        }
        catch (OptionsValidationException exception)
        {
            return StartFailure.Describe(exception)!;
        }
    }
}
