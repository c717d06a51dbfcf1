using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.FranceConnect;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Api.FranceConnect;

/// <summary>
/// Our public encryption keys, which FranceConnect reads on every checktoken: a document in memory, without authentication and without
/// any dependency.
/// </summary>
public sealed class PublicJwks(IOptions<FranceConnectApiOptions> options, TimeProvider time, ILogger<PublicJwks> logger) : IDisposable
{
    private readonly ReloadedFile<byte[]> file = new(
        options.Value.SourceFile!, bytes => PublicJwkSet.Render(bytes, options.Value.EncryptedResponseAlg), time, logger);

    /// <summary>The document, UTF-8 JSON.</summary>
    public ReadOnlyMemory<byte> Document => file.Current;

    public void Dispose() => file.Dispose();
}

/// <summary>Our public encryption keys, for FranceConnect to read.</summary>
public static class PublicJwksRegistration
{
    internal const string Path = "/.well-known/jwks.json";

    private const string MediaType = "application/jwk-set+json";

    /// <summary>Registers <see cref="FranceConnectApiOptions"/> and the public keys; wrong settings stop the process at start.</summary>
    public static IServiceCollection AddPublicJwks(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IValidateOptions<FranceConnectApiOptions>, PublicJwksFileValidator>();
        services.AddSettings<FranceConnectApiOptions>(configuration, FranceConnectApiOptions.Section);
        services.AddSingleton<PublicJwks>();
        return services;
    }

    /// <summary>Maps <c>GET /.well-known/jwks.json</c>.</summary>
    public static IEndpointConventionBuilder MapPublicJwks(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet(Path, static (PublicJwks jwks, HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "no-cache";
            return Results.Bytes(jwks.Document, MediaType);
        }).AllowAnonymous().ExcludeFromDescription();

    private sealed class PublicJwksFileValidator : IValidateOptions<FranceConnectApiOptions>
    {
        public ValidateOptionsResult Validate(string? name, FranceConnectApiOptions options)
        {
            if (options.SourceFile is not { } path)
                return ValidateOptionsResult.Fail("FranceConnect:PublicJwksFile (or FranceConnect:PrivateJwksFile) is missing");
            try
            {
                PublicJwkSet.Render(File.ReadAllBytes(path), options.EncryptedResponseAlg);
                return ValidateOptionsResult.Success;
            }
            catch (FormatException refusal)
            {
                return ValidateOptionsResult.Fail($"{options.SourceSetting} {path}: {refusal.Message}");
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                return ValidateOptionsResult.Fail($"{options.SourceSetting} {path} cannot be read ({failure.GetType().Name})");
            }
        }
    }
}
