using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Configuration;

/// <summary>Settings that keep a process from starting, told to its operator in a few lines.</summary>
public static class StartFailure
{
    /// <summary>Checks the settings, then runs the application until it is stopped.</summary>
    /// <param name="create">Builds the application.</param>
    /// <param name="check">Looks at what the application needs around it, once its settings are known to be good.</param>
    /// <returns>The exit code: 1 when a setting kept it from starting, with what is wrong on the error output.</returns>
    public static async Task<int> Run(Func<WebApplication> create, Func<WebApplication, Task>? check = null)
    {
        IHostApplicationLifetime? lifetime = null;
        try
        {
            await using var app = create();
            lifetime = app.Lifetime;
            Validate(app);
            if (check is not null)
                await check(app);
            await app.RunAsync();
            return 0;
        }
        catch (Exception) when (lifetime is { ApplicationStopping.IsCancellationRequested: true, ApplicationStarted.IsCancellationRequested: false })
        {
            // It was told to stop while it still started: whatever that interrupted is no failure.
            return 0;
        }
        catch (Exception exception) when (Describe(exception) is not null)
        {
            await Console.Error.WriteLineAsync(Describe(exception));
            return 1;
        }
    }

    /// <summary>Checks all settings that are validated at start, before anything of the host runs or logs.</summary>
    public static void Validate(WebApplication app) => app.Services.GetService<IStartupValidator>()?.Validate();

    /// <summary>What the operator has to know, one line for each fault; null when it is no fault of a setting or an address.</summary>
    public static string? Describe(Exception exception) => exception switch
    {
        OptionsValidationException options => string.Join(Environment.NewLine, options.Failures),
        AggregateException several when several.InnerExceptions.All(inner => Describe(inner) is not null) =>
            string.Join(Environment.NewLine, several.InnerExceptions.Select(Describe)),
        SettingException or IOException => exception.Message,

        // What passed the check of the addresses and still cannot be listened at, for instance https without a certificate.
        InvalidOperationException { Source: "Microsoft.AspNetCore.Server.Kestrel.Core" } =>
            $"An address of urls, Admin:Urls or Kestrel:Endpoints cannot be used: {exception.Message}",
        _ => null,
    };
}
