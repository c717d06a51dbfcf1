using System.Reflection;
using System.Reflection.Emit;

namespace DroitsAmeli.Tests.Rules.WireContract;

/// <summary>What a grain takes along to another silo, read off the instructions of its <c>OnDehydrate</c>.</summary>
internal static class MigratedValues
{
    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>The keys, and the types of what stands under them.</summary>
    /// <exception cref="InvalidDataException">A key is not a constant, so that it cannot be read.</exception>
    public static IEnumerable<(string Key, Type Type)> Of(Type grain)
    {
        if (!grain.IsAssignableTo(typeof(IGrainMigrationParticipant)))
            return [];
        var method = grain.GetInterfaceMap(typeof(IGrainMigrationParticipant)).TargetMethods.Single(method => method.Name.EndsWith(nameof(IGrainMigrationParticipant.OnDehydrate), StringComparison.Ordinal));
        var values = new List<(string, Type)>();
        var texts = new List<string>();
        foreach (var (code, operand) in Instructions(method))
        {
            if (code == OpCodes.Ldstr)
                texts.Add(method.Module.ResolveString(operand));
            if (code.OperandType is not OperandType.InlineMethod
                || method.Module.ResolveMethod(operand, method.DeclaringType!.GetGenericArguments(), null) is not MethodInfo called
                || called.DeclaringType != typeof(IDehydrationContext))
            {
                continue;
            }

            if (texts is not [var key] || !called.IsGenericMethod)
                throw new InvalidDataException($"What {grain.Name} takes along cannot be read: {called.Name} after {texts.Count} constants.");
            values.Add((key, called.GetGenericArguments()[0]));
            texts.Clear();
        }

        return values;
    }

    private static IEnumerable<(OpCode Code, int Operand)> Instructions(MethodInfo method)
    {
        var bytes = method.GetMethodBody()!.GetILAsByteArray()!;
        for (var at = 0; at < bytes.Length;)
        {
            var code = bytes[at] == 0xFE ? OpCodesByValue[unchecked((short)(0xFE00 | bytes[at + 1]))] : OpCodesByValue[bytes[at]];
            at += code.Size;
            var size = code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(bytes, at)),
                _ => 4,
            };
            yield return (code, size == 4 ? BitConverter.ToInt32(bytes, at) : 0);
            at += size;
        }
    }
}
