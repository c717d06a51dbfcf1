using System.Reflection;
using Orleans.Concurrency;

namespace DroitsAmeli.Tests.Rules.WireContract;

/// <summary>What the house asks of each type that crosses the border of a process, so that silos of two versions understand each other.</summary>
internal static class WireRules
{
    /// <summary>One line for each rule that is broken.</summary>
    public static IReadOnlyList<string> Violations(IReadOnlyCollection<Type> types) =>
    [
        .. WireTypes.Messages(types).SelectMany(OfMessage),
        .. WireTypes.GrainInterfaces(types).SelectMany(OfInterface),
        .. WireTypes.GrainClasses(types).Where(type => !type.IsDefined(typeof(GrainTypeAttribute))).Select(type => $"{type.Name} has no [GrainType]: its name would follow the class'."),
    ];

    private static IEnumerable<string> OfMessage(Type type)
    {
        if (!HasAlias(type))
            yield return $"{type.Name} has no [Alias]: its name would follow the type's.";
        if (type.IsEnum)
            yield break;
        if (!type.IsDefined(typeof(GenerateSerializerAttribute), inherit: false))
            yield return $"{type.Name} crosses the wire without [GenerateSerializer].";
        if (!type.IsSealed)
            yield return $"{type.Name} is not sealed.";
        if (!IsRecord(type))
            yield return $"{type.Name} is no record.";
        if (!type.IsDefined(typeof(ImmutableAttribute), inherit: false))
            yield return $"{type.Name} is not [Immutable].";
        foreach (var member in WireTypes.Unsent(type))
            yield return $"{type.Name}.{member} has no [Id]: it would not be sent.";
    }

    private static IEnumerable<string> OfInterface(Type type)
    {
        if (!HasAlias(type))
            yield return $"{type.Name} has no [Alias]: its name would follow the type's.";
        foreach (var method in type.GetMethods().Where(method => !HasAlias(method)))
            yield return $"{type.Name}.{method.Name} has no [Alias]: its name would follow its parameters'.";
    }

    private static bool HasAlias(MemberInfo member) => member.GetCustomAttribute<AliasAttribute>(inherit: false) is { Alias.Length: > 0 };

    private static bool IsRecord(Type type) =>
        type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly) is not null;
}
