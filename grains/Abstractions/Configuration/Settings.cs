using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Configuration;

/// <summary>How settings are read and checked; whatever is wrong is told with the whole name of its setting.</summary>
public static class Settings
{
    /// <summary>Binds a section, and checks its attributes, and the whole if it can check itself, when the process starts.</summary>
    public static OptionsBuilder<T> AddSettings<T>(this IServiceCollection services, IConfiguration configuration, string section)
        where T : class
    {
        services.AddSingleton<IValidateOptions<T>>(new AttributesValidator<T>(section));
        return services.AddOptions<T>().Configure(options => Bind(configuration, section, options)).ValidateOnStart();
    }

    /// <summary>Reads a section before there are services; it is still to be checked by <see cref="AddSettings{T}"/>.</summary>
    /// <exception cref="OptionsValidationException">A value cannot be of its setting's type.</exception>
    public static T Read<T>(IConfiguration configuration, string section)
        where T : class, new()
    {
        var options = new T();
        Bind(configuration, section, options);
        return options;
    }

    /// <summary>Reads a list, given as an array or as one text with commas.</summary>
    /// <exception cref="OptionsValidationException">It is given in both forms: nobody can tell which one is meant.</exception>
    public static IReadOnlyList<string> ReadList(IConfiguration configuration, string setting)
    {
        var section = configuration.GetSection(setting);
        var array = section.GetChildren().Select(child => child.Value ?? "").ToList();
        if (string.IsNullOrWhiteSpace(section.Value))
            return array;
        return array.Count == 0
            ? [.. section.Value.Split(',').Select(item => item.Trim())]
            : throw new OptionsValidationException(setting, typeof(string), [$"{setting} is given twice, as an array and as one text: leave one of them out."]);
    }

    /// <summary>Checks the addresses of a setting to listen at when the process starts; one that is not set is fine.</summary>
    public static void AddListenAddresses(this IServiceCollection services, IConfiguration configuration, string setting) =>
        services.AddOptions<ListenAddresses>()
            .Configure(addresses => addresses.Text = configuration[setting])
            .Validate(
                addresses => addresses.AreAcceptable,
                $"{setting} must be an address such as http://127.0.0.1:8080, without a path, or several with semicolons between them.")
            .ValidateOnStart();

    private static void Bind<T>(IConfiguration configuration, string section, T options)
        where T : class
    {
        try
        {
            configuration.GetSection(section).Bind(options);
        }
        catch (InvalidOperationException exception)
        {
            // The binder names the setting.
            throw new OptionsValidationException(section, typeof(T), [exception.Message]);
        }
    }

    private sealed class ListenAddresses
    {
        public string? Text { get; set; }

        // Kestrel listens at a port of its own choice where it is given none.
        public bool AreAcceptable => Text is null || (Text.Split(';', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } several && several.All(IsAcceptable));

        private static bool IsAcceptable(string text)
        {
            try
            {
                return BindingAddress.Parse(text) is { Scheme: "http" or "https", PathBase: "", Port: >= 0 and <= 65535 };
            }
            catch (FormatException)
            {
                return false;
            }
        }
    }

    private sealed class AttributesValidator<T>(string section) : IValidateOptions<T>
        where T : class
    {
        public ValidateOptionsResult Validate(string? name, T options)
        {
            var faults = typeof(T).GetProperties()
                .Where(property => property.IsDefined(typeof(ValidationAttribute)))
                .SelectMany(property => FaultsOf(property, options))
                .ToList();
            if (faults.Count == 0 && options is IValidatableObject whole)
                faults.AddRange(whole.Validate(new ValidationContext(options)));
            return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults.Select(fault => fault.ErrorMessage!));
        }

        private IEnumerable<ValidationResult> FaultsOf(PropertyInfo property, T options)
        {
            var context = new ValidationContext(options) { MemberName = property.Name, DisplayName = $"{section}:{property.Name}" };
            var value = property.GetValue(options);
            var rules = property.GetCustomAttributes<ValidationAttribute>().ToLookup(rule => rule is RequiredAttribute);
            var missing = Faults(rules[true]).ToList();
            return missing.Count > 0 ? missing : Faults(rules[false]);

            IEnumerable<ValidationResult> Faults(IEnumerable<ValidationAttribute> these) =>
                these.Select(rule => rule.GetValidationResult(value, context)).OfType<ValidationResult>();
        }
    }
}
