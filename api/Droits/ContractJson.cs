using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using DroitsAmeli.Grains.Droits;

namespace DroitsAmeli.Api.Droits;

/// <summary>The resources as JSON: properties without a value are left out, accents are written as they are.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(Beneficiaire))]
[JsonSerializable(typeof(IReadOnlyList<Beneficiaire>))]
[JsonSerializable(typeof(Caisse))]
[JsonSerializable(typeof(IReadOnlyList<Contrat>))]
[JsonSerializable(typeof(IReadOnlyList<Exoneration>))]
[JsonSerializable(typeof(MedecinTraitant))]
internal sealed partial class ContractJson : JsonSerializerContext
{
    /// <summary>Options in which each type has been through <paramref name="modifier"/>. Costly: made once per shape of view.</summary>
    /// <remarks>The relaxed encoder is safe here because the bodies are served as application/json and never put into HTML.</remarks>
    public static JsonSerializerOptions With(Action<JsonTypeInfo> modifier)
    {
        var options = new JsonSerializerOptions
        {
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            TypeInfoResolver = Default.WithAddedModifier(modifier),
        };
        options.MakeReadOnly();
        return options;
    }
}
