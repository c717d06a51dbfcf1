using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace DroitsAmeli.Grains.Configuration;

/// <summary>The exceptions that travel between silos and front ends, beside those of .NET and the runtime.</summary>
public static class WireExceptions
{
    private static readonly string[] Libraries = ["Polly", "Npgsql"];

    /// <summary>
    /// Lets exceptions of the libraries beneath a call travel. One that may not makes the whole answer unreadable: a caller then meets a fault of
    /// the serializer in place of a time-out, and does not ask again.
    /// </summary>
    public static void AddWireExceptions(this IServiceCollection services) =>
        services.Configure<ExceptionSerializationOptions>(options =>
        {
            foreach (var library in Libraries)
                options.SupportedNamespacePrefixes.Add(library);
        });
}
