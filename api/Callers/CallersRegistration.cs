using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Conventions;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Api.Callers;

/// <summary>Registers who may call.</summary>
public static class CallersRegistration
{
    /// <summary>
    /// Adds <see cref="ConventionDirectory"/> and <see cref="QuotaCounter"/>. Needs an Orleans client. A missing setting or a conventions file that is refused stops the process at start.
    /// </summary>
    public static IServiceCollection AddCallers(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<IValidateOptions<ConventionsOptions>, ConventionsFileValidator>();
        services.AddSettings<ConventionsOptions>(configuration, ConventionsOptions.Section);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ConventionDirectory>();
        services.AddSingleton<IHostedService>(provider => new LoadedAtStart(provider.GetRequiredService<ConventionDirectory>));
        services.AddSingleton(provider => new QuotaCounter(
            convention => provider.GetRequiredService<IGrainFactory>().GetGrain<IConventionGrain>(ConventionKey.Of(convention)),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<QuotaCounter>>()));
        return services;
    }

    private sealed class LoadedAtStart(Func<ConventionDirectory> load) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            load();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class ConventionsFileValidator : IValidateOptions<ConventionsOptions>
    {
        public ValidateOptionsResult Validate(string? name, ConventionsOptions options)
        {
            if (string.IsNullOrEmpty(options.File))
                return ValidateOptionsResult.Skip;
            try
            {
                ConventionsFile.Parse(File.ReadAllBytes(options.File));
                return ValidateOptionsResult.Success;
            }
            catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException or ArgumentException)
            {
                return ValidateOptionsResult.Fail($"Conventions:File: {options.File} cannot be used: {exception.Message}");
            }
        }
    }
}
