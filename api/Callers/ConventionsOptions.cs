using System.ComponentModel.DataAnnotations;

namespace DroitsAmeli.Api.Callers;

/// <summary>Where the partners' conventions are.</summary>
public sealed class ConventionsOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Conventions";

    /// <summary>Path of the JSON array of conventions; read again when it changes.</summary>
    [Required(AllowEmptyStrings = false, ErrorMessage = "Conventions:File is missing: it names the JSON file of the partners' conventions.")]
    public string File { get; set; } = "";
}
