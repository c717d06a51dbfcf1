using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using DroitsAmeli.Grains.Storage;
using Orleans.Concurrency;
using Orleans.Metadata;
using Orleans.Services;

namespace DroitsAmeli.Tests.Rules.WireContract;

/// <summary>Reads the contract off assemblies: what their grains, messages, migrated states, JSON payloads and stored rows look like to another process.</summary>
/// <param name="grainTypes">Knows the names of grain classes.</param>
/// <param name="interfaces">Knows the names of grain interfaces.</param>
internal sealed class ContractReader(GrainTypeResolver grainTypes, GrainInterfaceTypeResolver interfaces)
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(int)] = "int", [typeof(long)] = "long", [typeof(string)] = "string", [typeof(object)] = "object",
    };

    /// <summary>The lines of all that these assemblies declare.</summary>
    public Contract Read(IEnumerable<Assembly> assemblies) => Read([.. assemblies.SelectMany(assembly => assembly.GetTypes())]);

    /// <summary>The lines of these types.</summary>
    public Contract Read(IReadOnlyCollection<Type> types) => Contract.Of(
    [
        .. WireTypes.Messages(types).SelectMany(Message),
        .. WireTypes.GrainInterfaces(types).SelectMany(Interface),
        .. WireTypes.GrainClasses(types).SelectMany(GrainClass),
        .. types.Where(IsPayloads).SelectMany(Json).DistinctBy(line => line.Key),
        .. types.SelectMany(States),
    ]);

    private static IEnumerable<KeyValuePair<string, string>> Message(Type type)
    {
        var name = $"type {Name(type)}";
        if (type.IsEnum)
        {
            yield return new(name, $"enum {Name(Enum.GetUnderlyingType(type))}");
            foreach (var value in Enum.GetNames(type))
                yield return new($"{name} #{Convert.ToInt64(Enum.Parse(type, value), System.Globalization.CultureInfo.InvariantCulture)}", value);
            yield break;
        }

        yield return new(name, type.IsValueType ? "struct" : "class");
        foreach (var (id, member, memberType) in WireTypes.Members(type))
            yield return new($"{name} #{id}", $"{member} {Name(memberType)}");
    }

    private IEnumerable<KeyValuePair<string, string>> Interface(Type type)
    {
        var name = interfaces.GetGrainInterfaceType(type).ToString();
        yield return new($"interface {name}", KeyOf(type));

        // The runtime finds a service of each silo by its interface's full name.
        if (type.IsAssignableTo(typeof(IGrainService)))
            yield return new($"interface {name} #service", type.FullName!);

        foreach (var method in type.GetMethods())
        {
            var call = $"{name}/{method.GetCustomAttribute<AliasAttribute>()?.Alias ?? method.Name}";
            yield return new($"method {call}", Name(method.ReturnType));
            foreach (var (parameter, index) in method.GetParameters().Where(parameter => parameter.ParameterType != typeof(CancellationToken)).Select((parameter, index) => (parameter, index)))
                yield return new($"method {call} #{index}", $"{parameter.Name} {Name(parameter.ParameterType)}");
            if (CallOptions(method) is { Length: > 0 } options)
                yield return new($"call {call}", options);
        }
    }

    private IEnumerable<KeyValuePair<string, string>> GrainClass(Type type)
    {
        var name = $"grain {grainTypes.GetGrainType(type)}";
        yield return new(name, "");
        foreach (var served in WireTypes.GrainInterfaces(type.GetInterfaces()))
            yield return new($"{name} #serves {interfaces.GetGrainInterfaceType(served)}", "");
        foreach (var (key, valueType) in MigratedValues.Of(type))
            yield return new($"{name} #migrates {key}", Name(valueType));
    }

    // What front ends write for partners is no affair of other processes.
    private static bool IsPayloads(Type type) =>
        !type.IsAbstract && type.IsAssignableTo(typeof(JsonSerializerContext)) && type.Namespace!.StartsWith("DroitsAmeli.Grains", StringComparison.Ordinal);

    private static IEnumerable<KeyValuePair<string, string>> Json(Type context)
    {
        var all = (JsonSerializerContext)context.GetProperty("Default", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;
        var seen = new HashSet<Type>();
        var next = new Queue<Type>(context.GetCustomAttributesData()
            .Where(attribute => attribute.AttributeType == typeof(JsonSerializableAttribute))
            .Select(attribute => (Type)attribute.ConstructorArguments[0].Value!));
        while (next.TryDequeue(out var type))
        {
            type = Nullable.GetUnderlyingType(type) ?? type;
            if (!seen.Add(type) || all.GetTypeInfo(type) is not { } info)
                continue;
            if (info.ElementType is { } element)
                next.Enqueue(element);
            if (type.IsEnum)
            {
                yield return new($"json {type.Name}", "text");
                foreach (var value in type.GetFields(BindingFlags.Public | BindingFlags.Static))
                    yield return new($"json {type.Name} #{value.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? value.Name}", "");
            }

            if (info.Kind is not JsonTypeInfoKind.Object)
                continue;
            yield return new($"json {type.Name}", "object");
            foreach (var property in info.Properties)
            {
                next.Enqueue(property.PropertyType);
                yield return new($"json {type.Name} #{property.Name}", JsonName(property.PropertyType) + (property.IsRequired ? ", required" : ""));
            }
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> States(Type type) => type
        .GetProperties(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)
        .Where(property => property.PropertyType == typeof(SnapshotKind))
        .Select(property => KeyValuePair.Create($"state {((SnapshotKind)property.GetValue(null)!).State}", ""));

    /// <summary>A type as other processes know it: the alias, the language's keyword, or the name.</summary>
    public static string Name(Type type) =>
        type.GetCustomAttribute<AliasAttribute>(inherit: false)?.Alias
        ?? (Keywords.TryGetValue(type, out var keyword) ? keyword
            : type.IsArray ? Name(type.GetElementType()!) + "[]"
            : Nullable.GetUnderlyingType(type) is { } underlying ? Name(underlying) + "?"
            : type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
            : type.Assembly == typeof(object).Assembly ? type.Name
            : type.FullName!);

    private static string JsonName(Type type) =>
        type.IsGenericType && Nullable.GetUnderlyingType(type) is null ? $"list of {type.GetGenericArguments()[0].Name}" : (Nullable.GetUnderlyingType(type) ?? type).Name;

    private static string KeyOf(Type type) =>
        type.IsAssignableTo(typeof(IGrainWithStringKey)) ? "key string"
        : type.IsAssignableTo(typeof(IGrainWithGuidKey)) ? "key guid"
        : type.IsAssignableTo(typeof(IGrainWithIntegerKey)) ? "key integer"
        : type.IsAssignableTo(typeof(IGrainService)) ? "one for each silo"
        : "key of another kind";

    private static string CallOptions(MethodInfo method)
    {
        string?[] options =
        [
            method.GetParameters().Any(parameter => parameter.ParameterType == typeof(CancellationToken)) ? "can be cancelled" : null,
            method.IsDefined(typeof(AlwaysInterleaveAttribute)) ? "always interleaves" : null,
            method.IsDefined(typeof(ReadOnlyAttribute)) ? "read only" : null,
            method.IsDefined(typeof(OneWayAttribute)) ? "one way" : null,
            method.GetCustomAttribute<ResponseTimeoutAttribute>()?.Timeout is { } limit ? $"answered within {limit:c}" : null,
        ];
        return string.Join(", ", options.OfType<string>());
    }
}
