using System.Reflection;
using Orleans.Services;

namespace DroitsAmeli.Tests.Rules.WireContract;

/// <summary>Which types cross the border of a process through the runtime.</summary>
internal static class WireTypes
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    public static IEnumerable<Type> GrainInterfaces(IEnumerable<Type> types) =>
        types.Where(type => type.IsInterface && type.IsAssignableTo(typeof(IAddressable)) && IsOurs(type));

    public static IEnumerable<Type> GrainClasses(IEnumerable<Type> types) =>
        types.Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IGrainBase)) && !type.IsAssignableTo(typeof(IGrainService)));

    /// <summary>The types of messages: those that say so, and those that they, methods of grains and migrations lead to.</summary>
    public static IReadOnlyCollection<Type> Messages(IReadOnlyCollection<Type> types)
    {
        var found = new HashSet<Type>();
        var next = new Queue<Type>(
        [
            .. types.Where(type => type.IsDefined(typeof(GenerateSerializerAttribute), inherit: false)),
            .. GrainInterfaces(types).SelectMany(type => type.GetMethods()).SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType)),
            .. GrainClasses(types).SelectMany(MigratedValues.Of).Select(value => value.Type),
        ]);
        while (next.TryDequeue(out var type))
        {
            if (type.IsArray)
                next.Enqueue(type.GetElementType()!);
            foreach (var argument in type.GetGenericArguments())
                next.Enqueue(argument);
            if (type.IsArray || !IsOurs(type) || !found.Add(type))
                continue;
            foreach (var (_, _, memberType) in Members(type))
                next.Enqueue(memberType);
        }

        return found;
    }

    /// <summary>The members that are written, with their ids.</summary>
    public static IEnumerable<(uint Id, string Name, Type Type)> Members(Type type) => type.GetProperties(Declared)
        .Select(property => ((MemberInfo)property, property.PropertyType))
        .Concat(type.GetFields(Declared).Select(field => ((MemberInfo)field, field.FieldType)))
        .Where(member => member.Item1.IsDefined(typeof(IdAttribute)))
        .Select(member => (member.Item1.GetCustomAttribute<IdAttribute>()!.Id, member.Item1.Name, member.Item2));

    /// <summary>What a message holds and does not send: fields, those behind properties included, without an id.</summary>
    public static IEnumerable<string> Unsent(Type type) => type.GetFields(Declared)
        .Where(field => !field.IsDefined(typeof(IdAttribute)) && !field.IsDefined(typeof(NonSerializedAttribute)))
        .Select(field => field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>')] : field.Name)
        .Where(name => type.GetProperty(name, Declared)?.IsDefined(typeof(IdAttribute)) is not true);

    private static bool IsOurs(Type type) => type.Assembly.GetName().Name!.StartsWith("DroitsAmeli.", StringComparison.Ordinal);
}
