using DroitsAmeli.Grains.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.FranceConnect;

/// <summary>What attributes cannot say: addresses, and a private key file that can be used.</summary>
internal sealed partial class FranceConnectOptionsValidator(ILogger<FranceConnectOptionsValidator> logger) : IValidateOptions<FranceConnectOptions>
{
    private const int LargestSensibleRsaBits = 3072;

    public ValidateOptionsResult Validate(string? name, FranceConnectOptions options)
    {
        var failures = new List<string>();
        CheckAddress(nameof(options.Issuer), options.Issuer, failures);
        CheckAddress(nameof(options.ChecktokenEndpoint), options.ChecktokenEndpoint, failures);
        CheckAddress(nameof(options.JwksEndpoint), options.JwksEndpoint, failures);
        if (!string.IsNullOrEmpty(options.PrivateJwksFile))
            CheckKeys(options, failures);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void CheckAddress(string setting, string? value, List<string> failures)
    {
        if (!string.IsNullOrEmpty(value) && !UpstreamAddress.IsAcceptable(value))
            failures.Add($"FranceConnect:{setting} {UpstreamAddress.Rule}");
    }

    private void CheckKeys(FranceConnectOptions options, List<string> failures)
    {
        try
        {
            var keys = DecryptionKeys.Parse(File.ReadAllBytes(options.PrivateJwksFile), options.EncryptedResponseAlg);
            if (keys.LargestRsaBits > LargestSensibleRsaBits)
                LogLargeRsaKey(logger, keys.LargestRsaBits);
        }
        catch (FormatException refusal)
        {
            failures.Add($"FranceConnect:PrivateJwksFile {options.PrivateJwksFile}: {refusal.Message}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            failures.Add($"FranceConnect:PrivateJwksFile {options.PrivateJwksFile} cannot be read ({failure.GetType().Name})");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "FranceConnect:PrivateJwksFile holds an RSA key of {Bits} bits: each checktoken will cost milliseconds of CPU. Nothing has to be done where that can be spared; a P-256 key with ECDH-ES costs a tenth of one.")]
    private static partial void LogLargeRsaKey(ILogger logger, int bits);
}
