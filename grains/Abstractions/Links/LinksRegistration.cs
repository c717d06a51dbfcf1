using DroitsAmeli.Grains.Configuration;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Links;

/// <summary>Mutual TLS on the links of the cluster, <c>Cluster:Tls:*</c>.</summary>
public static class LinksRegistration
{
    /// <summary>Registers what the links of a process of this role need; wrong settings and files stop it at start.</summary>
    /// <returns>Whether links are to be encrypted: then each kind of link must be given its <see cref="UseTls"/>.</returns>
    public static bool AddLinks(this IServiceCollection services, IConfiguration configuration, LinkRole role)
    {
        if (!TlsSettings.IsOn(configuration))
            return false;

        services.AddSettings<TlsSettings>(configuration, TlsSettings.Section);
        services.AddSingleton<IValidateOptions<TlsSettings>>(provider => new Validator(configuration, role, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => CertificatesOf(provider, role));
        services.AddSingleton<LinkRefusals>();
        services.AddHostedService<CertificateExpiry>();
        return true;
    }

    /// <summary>Puts one kind of link under TLS.</summary>
    /// <param name="builder">Of that kind of link.</param>
    /// <param name="side">Which end of it this process is.</param>
    /// <param name="peer">What the other end must be.</param>
    public static void UseTls(this IConnectionBuilder builder, LinkSide side, LinkRole peer) =>
        builder.UseMiddleware(ActivatorUtilities.CreateInstance<TlsLink>(builder.ApplicationServices, side, peer));

    private static ReloadedFile<LinkCertificates> CertificatesOf(IServiceProvider provider, LinkRole role)
    {
        var settings = provider.GetRequiredService<IOptions<TlsSettings>>().Value;
        var time = provider.GetRequiredService<TimeProvider>();
        return new(
            [settings.CertificateFile!, settings.KeyFile!, settings.CaFile!],
            files => LinkCertificates.Parse(role, settings, files, time),
            time,
            provider.GetRequiredService<ILogger<LinkCertificates>>());
    }

    // The files are read here once more than needed, so that what is wrong with them is told with the other settings.
    private sealed class Validator(IConfiguration configuration, LinkRole role, TimeProvider time) : IValidateOptions<TlsSettings>
    {
        public ValidateOptionsResult Validate(string? name, TlsSettings options)
        {
            var unknown = TlsSettings.Unknown(configuration).Select(setting => $"{setting} is not a setting.").ToList();
            if (unknown.Count > 0)
                return ValidateOptionsResult.Fail(unknown);

            var files = new List<byte[]>();
            foreach (var (setting, path) in new[]
            {
                (nameof(options.CertificateFile), options.CertificateFile), (nameof(options.KeyFile), options.KeyFile), (nameof(options.CaFile), options.CaFile),
            })
            {
                if (string.IsNullOrWhiteSpace(path))
                    return ValidateOptionsResult.Skip;
                try
                {
                    files.Add(File.ReadAllBytes(path));
                }
                catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
                {
                    return ValidateOptionsResult.Fail($"{TlsSettings.Section}:{setting} {path} cannot be read ({failure.GetType().Name})");
                }
            }

            try
            {
                LinkCertificates.Parse(role, options, files, time);
                return ValidateOptionsResult.Success;
            }
            catch (FormatException refusal)
            {
                return ValidateOptionsResult.Fail(refusal.Message);
            }
        }
    }
}
