using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DroitsAmeli.Tests.Cache;

/// <summary>
/// The measured figures: one line each of a table, on the standard output and in the file that <c>DROITS_TESTS_TABLE</c> names; and all of
/// them, with their numbers by name, as one JSON array in the file that <c>DROITS_TESTS_JSON</c> names, after those it already holds.
/// </summary>
internal static class Figures
{
    private static readonly Lock Gate = new();
    private static readonly string? TablePath = Environment.GetEnvironmentVariable("DROITS_TESTS_TABLE");
    private static readonly string? JsonPath = Environment.GetEnvironmentVariable("DROITS_TESTS_JSON");
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Adds a line.</summary>
    /// <param name="target">T4, T7… or what it belongs to.</param>
    /// <param name="measured">What was measured, in words.</param>
    /// <param name="figure">What came out.</param>
    /// <param name="wanted">What was promised.</param>
    /// <param name="values">The numbers of it that the JSON names.</param>
    public static void Add(string target, string measured, FormattableString figure, string wanted, params ReadOnlySpan<(string Name, double Value)> values)
    {
        var (text, load) = (figure.ToString(CultureInfo.InvariantCulture), Scale.LoadAverage());
        var line = string.Create(CultureInfo.InvariantCulture, $"{target,-8} | {measured,-72} | {text,-60} | {wanted,-28} | load {load:0.0}");
        var entry = new JsonObject
        {
            ["target"] = target,
            ["measured"] = measured,
            ["figure"] = text,
            ["wanted"] = wanted,
            ["values"] = ByName(values),
            ["load_average"] = load,
            ["full"] = Scale.IsFull,
            ["at"] = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        };
        lock (Gate)
        {
            Console.WriteLine(line);
            if (TablePath is { Length: > 0 } path)
                File.AppendAllText(path, line + "\n");
            if (JsonPath is { Length: > 0 } json)
                AddTo(json, entry);
        }
    }

    private static JsonObject ByName(ReadOnlySpan<(string Name, double Value)> values)
    {
        var byName = new JsonObject();
        foreach (var (name, value) in values)
            byName[name] = double.IsFinite(value) ? Math.Round(value, 6) : null;
        return byName;
    }

    private static void AddTo(string path, JsonObject entry)
    {
        var all = File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path))!.AsArray() : [];
        all.Add(entry);
        var next = path + ".next";
        File.WriteAllText(next, all.ToJsonString(Indented) + "\n");
        File.Move(next, path, overwrite: true);
    }
}
