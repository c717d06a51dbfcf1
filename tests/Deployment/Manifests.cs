using DroitsAmeli.Tests.Storage;
using k8s;
using k8s.Models;

namespace DroitsAmeli.Tests.Deployment;

/// <summary>What <c>kubectl kustomize</c> makes of the example, each object read into the model of its kind: an unknown field is an error.</summary>
public sealed class Manifests : IAsyncLifetime
{
    private readonly List<object> all = [];

    internal IReadOnlyList<object> All => all;

    internal V1Deployment Silo => One<V1Deployment>("droits-silo");

    internal V1Deployment Api => One<V1Deployment>("droits-api");

    internal V1Job Migration => One<V1Job>("droits-migration");

    internal IReadOnlyList<V1Container> Containers =>
        [.. new[] { Silo.Spec.Template, Api.Spec.Template, Migration.Spec.Template }.SelectMany(pod => pod.Spec.Containers)];

    public async ValueTask InitializeAsync()
    {
        // The tests skip themselves then.
        if (!Tool.IsThere("kubectl"))
            return;
        foreach (var folder in new[] { "overlays/example", "overlays/example/migration" })
        {
            var (code, output, errors) = await Tool.Run("kubectl", "kustomize", Path.Combine(Repository.Root, "deploy", "kubernetes", folder));
            Assert.True(code == 0 && errors.Length == 0, errors);
            all.AddRange(KubernetesYaml.LoadAllFromString(output, strict: true));
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal T One<T>(string name)
        where T : IMetadata<V1ObjectMeta> => all.OfType<T>().Single(one => one.Metadata.Name == name);

    internal IEnumerable<T> Of<T>() => all.OfType<T>();

    /// <summary>The variables of a container; null stands for what is filled in elsewhere.</summary>
    internal Dictionary<string, string?> VariablesOf(V1Container container)
    {
        var variables = (container.EnvFrom ?? []).SelectMany(from => One<V1ConfigMap>(from.ConfigMapRef.Name).Data).ToDictionary(one => one.Key, one => (string?)one.Value);
        foreach (var one in container.Env ?? [])
            variables.Add(one.Name, one.Value);
        return variables;
    }
}
