using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using DroitsAmeli.Api.Droits;
using Microsoft.Extensions.Options;
using Scalar.AspNetCore;

namespace DroitsAmeli.Api.Documentation;

/// <summary>
/// The description of the API: OpenAPI 3.0 at <c>/openapi/v1.json</c>, written by hand (<c>openapi.json</c> beside this file), and the
/// same for reading at <c>/docs</c>, from files that ship with the process. The page asks nothing of any other host and sets no cookie.
/// </summary>
public static class Documentation
{
    public const string OpenApiPath = "/openapi/v1.json";

    public const string PagePath = "/docs";

    /// <summary>The document, the page, and the page's own scripts.</summary>
    internal static IReadOnlyList<string> Paths { get; } =
        [OpenApiPath, PagePath, PagePath + "/", PagePath + "/scalar.js", PagePath + "/scalar.aspnetcore.js"];

    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Maps the two.</summary>
    public static void MapDocumentation(this IEndpointRouteBuilder app)
    {
        var prefix = app.ServiceProvider.GetRequiredService<IOptions<ApiOptions>>().Value.PathPrefix;
        var document = Document(prefix);
        app.MapGet(OpenApiPath, () => Results.Bytes(document, "application/json; charset=utf-8")).ExcludeFromDescription();

        app.MapScalarApiReference(PagePath, (options, context) =>
        {
            ForReadingOnly(options);
            options.Nonce = RandomNumberGenerator.GetHexString(32);
            context.Response.Headers.ContentSecurityPolicy = OwnHostOnly(options.Nonce);
            context.Response.Headers.XContentTypeOptions = "nosniff";
            context.Response.Headers["Referrer-Policy"] = "no-referrer";
        });
    }

    /// <summary>The OpenAPI document whose server stands behind that prefix (<see cref="ApiOptions.PathPrefix"/>), UTF-8.</summary>
    public static byte[] Document(string pathPrefix)
    {
        using var stream = typeof(Documentation).Assembly.GetManifestResourceStream("openapi.json")
            ?? throw new InvalidOperationException("The OpenAPI document is not embedded.");
        var document = JsonNode.Parse(stream)!.AsObject();
        document["servers"]![0]!["url"] = pathPrefix + DroitsEndpoints.BasePath;
        return Encoding.UTF8.GetBytes(document.ToJsonString(Readable));
    }

    private static void ForReadingOnly(ScalarOptions options)
    {
        options.Title = "API de droits à l'Assurance Maladie";
        options.OpenApiRoutePattern = OpenApiPath;
        options.Localization = new ScalarLocalizationOptions { Locale = "fr" };
        options.ShowOperationId = true;
        options.DefaultOpenAllTags = true;
        options.CustomCss = "a[href^='https://scalar.com'] { display: none; }";
        options.DefaultFonts = false;

        // By default a file that does not come with the package.
        options.Favicon = "data:,";
        options.Telemetry = false;
        options.ProxyUrl = null;
        options.PersistentAuthentication = false;
        options.HideClientButton = true;
        options.HideTestRequestButton = true;
        options.ShowDeveloperTools = DeveloperToolsVisibility.Never;
        options.Agent = new ScalarAgentOptions { Disabled = true };
        options.Mcp = new ScalarMcpOptions { Disabled = true };
    }

    private static string OwnHostOnly(string nonce) =>
        $"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}
