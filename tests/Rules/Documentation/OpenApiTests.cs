using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using DroitsAmeli.Grains.Droits;
using DroitsAmeli.Tests.Rules.Droits;
using Xunit;
using Described = DroitsAmeli.Api.Documentation.Documentation;

namespace DroitsAmeli.Tests.Rules.Documentation;

public sealed class OpenApiTests
{
    private static readonly JsonNode Document = JsonNode.Parse(Described.Document(""))!;

    private static readonly (string Path, string OperationId, bool Nir)[] Operations =
    [
        ("/me", "getMe", false),
        ("/me/beneficiaires", "getBeneficiaires", false),
        ("/", "getBeneficiairesNir", true),
        ("/caisse", "getBeneficiairesNirCaisse", true),
        ("/contrats", "getBeneficiairesNirContrats", true),
        ("/exonerations", "getBeneficiairesNirExonerations", true),
        ("/medecin-traitant", "getBeneficiairesNirMedecinTraitant", true),
    ];

    private static readonly Dictionary<int, string[]> Codes = new()
    {
        [400] = ["date_invalide", "nir_absent", "nir_invalide"],
        [401] = ["cle_api_absente", "cle_api_invalide", "jeton_absent", "jeton_invalide"],
        [403] = ["convention_non_eligible", "donnee_reservee", "niveau_insuffisant", "scope_insuffisant", "jeton_autre_partenaire"],
        [404] = ["chemin_inconnu", "identite_non_rattachee", "beneficiaire_inconnu", "medecin_traitant_absent"],
        [405] = ["methode_refusee"],
        [409] = ["identite_ambigue"],
        [413] = ["corps_refuse"],
        [429] = ["quota_depasse"],
        [500] = ["erreur_interne"],
        [502] = ["franceconnect_indisponible"],
        [503] = ["si_indisponible"],
        [504] = ["delai_depasse"],
    };

    private static JsonObject Schemas => Document["components"]!["schemas"]!.AsObject();

    [Fact]
    public void Has_the_seven_operations_and_no_other_verb() => Assert.Equal(
        Operations.Select(operation => (operation.Path, "get", operation.OperationId)),
        Document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(verb => (path.Key, verb.Key, (string)verb.Value!["operationId"]!))));

    [Fact]
    public void Every_operation_takes_the_window_and_five_take_the_nir()
    {
        foreach (var (path, _, nir) in Operations)
        {
            var parameters = Operation(path)["parameters"]!.AsArray().Select(parameter => Resolve(parameter!)).ToList();
            string[] expected = nir ? ["header nir True", "query dateDebut False", "query dateFin False"] : ["query dateDebut False", "query dateFin False"];
            Assert.Equal(expected, parameters.Select(parameter => $"{parameter["in"]} {parameter["name"]} {(bool)parameter["required"]!}"));
        }
    }

    [Fact]
    public void Schemas_have_the_properties_of_the_records_and_no_other()
    {
        foreach (var type in MaskingPolicyTests.ShownTypes())
        {
            var properties = type.GetProperties().ToDictionary(property => property.GetCustomAttribute<JsonPropertyNameAttribute>()!.Name, property => property.PropertyType);
            var schema = Schemas[type.Name]!["properties"]!.AsObject();
            Assert.Equal(properties.Keys.Order(), schema.Select(property => property.Key).Order());
            foreach (var (name, propertyType) in properties)
                Assert.Equal(Shape(propertyType), Shape(schema[name]!));
        }
    }

    [Fact]
    public void Enums_have_the_values_of_the_records()
    {
        AssertEnum<Qualite>("Beneficiaire", "qualite");
        AssertEnum<NatureAssurance>("Contrat", "nature_assurance");
        AssertEnum<CodeMotif>("Motif", "code");
    }

    [Fact]
    public void Nothing_is_described_that_is_not_a_resource_or_a_problem() => Assert.Equal(
        MaskingPolicyTests.ShownTypes().Select(type => type.Name).Append("Problem").Order(),
        Schemas.Select(schema => schema.Key).Order());

    [Fact]
    public void Every_operation_documents_every_error_of_the_contract()
    {
        Assert.Equal(Codes.Values.SelectMany(codes => codes).Order(), Values(Schemas["Problem"]!["properties"]!["code"]!).Order());
        foreach (var (path, _, _) in Operations)
        {
            var responses = Operation(path)["responses"]!.AsObject();
            Assert.Equal(Codes.Keys.Append(200).Order(), responses.Select(response => int.Parse(response.Key, System.Globalization.CultureInfo.InvariantCulture)).Order());
            foreach (var (status, codes) in Codes)
            {
                var content = Assert.Single(Resolve(responses[$"{status}"]!)["content"]!.AsObject());
                Assert.Equal("application/problem+json", content.Key);
                Assert.Equal("#/components/schemas/Problem", (string)content.Value!["schema"]!["$ref"]!);
                Assert.Equal(codes.Order(), content.Value["examples"]!.AsObject().Select(example => example.Key).Order());
                Assert.All(content.Value["examples"]!.AsObject(), example => AssertProblem(example.Key, status, example.Value!["value"]!.AsObject()));
            }

            var ok = Assert.Single(responses["200"]!["content"]!.AsObject());
            Assert.Equal("application/json", ok.Key);
        }
    }

    [Fact]
    public void Headers_are_documented_where_they_stand()
    {
        string[] quota = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];
        var responses = Operation("/me")["responses"]!.AsObject();
        Assert.Equal(
            new[] { "X-Correlation-Id", "Cache-Status", "Date-Situation", "Cache-Control" }.Concat(quota).Order(),
            responses["200"]!["headers"]!.AsObject().Select(header => header.Key).Order());
        Assert.All(responses, response => Assert.Contains("X-Correlation-Id", Names(response.Value!)));
        Assert.Contains("WWW-Authenticate", Names(responses["401"]!));
        Assert.Contains("WWW-Authenticate", Names(responses["403"]!));
        Assert.Contains("Allow", Names(responses["405"]!));
        Assert.Contains("Retry-After", Names(responses["429"]!));
        Assert.Contains("Retry-After", Names(responses["503"]!));

        static IEnumerable<string> Names(JsonNode response) => Resolve(response)["headers"]!.AsObject().Select(header => header.Key);
    }

    [Fact]
    public void Both_credentials_are_asked_for_together()
    {
        Assert.Equal(["cleApi", "franceConnect"], Assert.Single(Document["security"]!.AsArray())!.AsObject().Select(scheme => scheme.Key));
        var schemes = Document["components"]!["securitySchemes"]!;
        Assert.Equal("apiKey header X-API-Key", $"{schemes["cleApi"]!["type"]} {schemes["cleApi"]!["in"]} {schemes["cleApi"]!["name"]}");
        Assert.Equal("http bearer", $"{schemes["franceConnect"]!["type"]} {schemes["franceConnect"]!["scheme"]}");
    }

    [Fact]
    public void Every_reference_leads_somewhere()
    {
        var count = 0;
        Walk(Document);
        Assert.True(count > 100);

        void Walk(JsonNode? node)
        {
            if (node is JsonObject one && one["$ref"] is not null)
            {
                count++;
                Assert.NotNull(Resolve(one));
            }

            IEnumerable<JsonNode?> children = node switch
            {
                JsonObject parent => parent.Select(child => child.Value),
                JsonArray parent => parent,
                _ => [],
            };
            foreach (var child in children)
                Walk(child);
        }
    }

    [Theory]
    [InlineData("", "/v1/droits/beneficiaires")]
    [InlineData("/test", "/test/v1/droits/beneficiaires")]
    [InlineData("/a/b", "/a/b/v1/droits/beneficiaires")]
    public void The_server_stands_behind_the_prefix(string prefix, string expected) =>
        Assert.Equal(expected, (string)Assert.Single(JsonNode.Parse(Described.Document(prefix))!["servers"]!.AsArray())!["url"]!);

    private static void AssertProblem(string code, int status, JsonObject problem)
    {
        var schema = Schemas["Problem"]!;
        Assert.Equal((code, status), ((string)problem["code"]!, (int)problem["status"]!));
        Assert.Equal(schema["required"]!.AsArray().Select(name => (string)name!).Order(), problem.Select(property => property.Key).Where(name => name != "parametre").Order());
        Assert.Equal(status == 400, problem.ContainsKey("parametre"));
        Assert.Subset(schema["properties"]!.AsObject().Select(property => property.Key).ToHashSet(), problem.Select(property => property.Key).ToHashSet());
    }

    private static void AssertEnum<T>(string schema, string property)
        where T : struct, Enum =>
        Assert.Equal(
            Enum.GetValues<T>().Select(value => JsonSerializer.SerializeToElement(value).GetString()!),
            Values(Schemas[schema]!["properties"]![property]!));

    private static IEnumerable<string> Values(JsonNode schema) => schema["enum"]!.AsArray().Select(value => (string)value!);

    private static string Shape(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(DateOnly) ? "string date"
            : type == typeof(int) ? "integer int32"
            : type == typeof(bool) ? "boolean"
            : type == typeof(string) || type == typeof(Nir) || type.IsEnum ? "string"
            : type.IsGenericType ? $"{type.GenericTypeArguments[0].Name}[]"
            : type.Name;
    }

    private static string Shape(JsonNode schema)
    {
        if (schema["type"] is null)
            return ((string)(schema["$ref"] ?? schema["allOf"]![0]!["$ref"])!).Split('/')[^1];
        return (string)schema["type"]! == "array" ? $"{Shape(schema["items"]!)}[]" : $"{schema["type"]} {schema["format"]}".Trim();
    }

    private static JsonNode Operation(string path) => Document["paths"]![path]!["get"]!;

    private static JsonNode Resolve(JsonNode node) =>
        node["$ref"] is { } reference ? ((string)reference!).Split('/').Skip(1).Aggregate(Document, (at, name) => at[name]!) : node;
}
