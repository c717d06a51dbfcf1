using DroitsAmeli.Grains.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>What a silo needs to ask FranceConnect.</summary>
public static class FranceConnectRegistration
{
    /// <summary>The name of the HTTP client towards FranceConnect.</summary>
    public const string HttpClientName = "franceconnect";

    /// <summary>
    /// Registers <see cref="FranceConnectClient"/> and what it needs from section <c>FranceConnect</c>; wrong settings stop the process at start.
    /// </summary>
    public static IServiceCollection AddFranceConnect(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IValidateOptions<FranceConnectOptions>, FranceConnectOptionsValidator>();
        services.AddSettings<FranceConnectOptions>(configuration, FranceConnectOptions.Section);
        // The secret goes to the configured address and nowhere else: no redirect, no proxy from the environment, no cookie.
        services.AddHttpClient(HttpClientName, client => client.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
                PooledConnectionLifetime = TimeSpan.FromMinutes(2),
                MaxResponseHeadersLength = 16,
            })
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .RemoveAllLoggers();
        services.AddSingleton(provider => DecryptionKeysOf(provider));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<SigningKeys>(provider, ClientOf(provider)));
        services.AddSingleton<IntrospectionVerifier>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<FranceConnectClient>(provider, ClientOf(provider)));
        return services;
    }

    private static HttpClient ClientOf(IServiceProvider provider) =>
        provider.GetRequiredService<IHttpClientFactory>().CreateClient(HttpClientName);

    private static ReloadedFile<DecryptionKeys> DecryptionKeysOf(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<FranceConnectOptions>>().Value;
        return new ReloadedFile<DecryptionKeys>(
            options.PrivateJwksFile,
            file => DecryptionKeys.Parse(file, options.EncryptedResponseAlg),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<DecryptionKeys>>());
    }
}
