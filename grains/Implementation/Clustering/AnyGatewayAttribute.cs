using Orleans.Metadata;

namespace DroitsAmeli.Grains.Clustering;

/// <summary>
/// Front ends call grains of this class by way of any gateway, in turn. Otherwise all calls of a grain take the same one: where it is frozen
/// every try is lost, though the grain be on another silo, and one that is new is not used. For grains that do not depend on the order of calls.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class AnyGatewayAttribute : Attribute, IGrainPropertiesProviderAttribute
{
    /// <inheritdoc/>
    public void Populate(IServiceProvider services, Type grainClass, GrainType grainType, Dictionary<string, string> properties) =>
        properties[WellKnownGrainTypeProperties.Unordered] = bool.TrueString;
}
