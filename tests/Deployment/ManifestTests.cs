using System.Globalization;
using System.Xml.Linq;
using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Tests.Storage;
using k8s.Models;

namespace DroitsAmeli.Tests.Deployment;

public sealed class ManifestTests : IClassFixture<Manifests>
{
    private const string Namespace = "droits";
    private const string OperatorsNamespace = "droits-exploitation";
    private const string IngressNamespace = "ingress-nginx";
    private const int SiloPort = 11111;
    private const int GatewayPort = 30000;
    private const int AdminPort = 8090;
    private const int ApiPort = 8080;

    private readonly Manifests manifests;

    public ManifestTests(Manifests manifests)
    {
        Tool.Need("kubectl");
        this.manifests = manifests;
    }

    private V1PodSpec SiloPod => manifests.Silo.Spec.Template.Spec;

    private V1PodSpec ApiPod => manifests.Api.Spec.Template.Spec;

    [Fact]
    public void Everything_is_there_and_in_the_namespace()
    {
        Assert.Equal(2, manifests.Of<V1Deployment>().Count());
        Assert.Single(manifests.Of<V1Job>());
        Assert.Equal(2, manifests.Of<V1PodDisruptionBudget>().Count());
        Assert.Equal(2, manifests.Of<V2HorizontalPodAutoscaler>().Count());
        foreach (var one in manifests.All.OfType<k8s.IKubernetesObject<V1ObjectMeta>>().Where(one => one is not V1Namespace))
            Assert.Equal(Namespace, one.Metadata.NamespaceProperty);
    }

    [Fact]
    public async Task Every_setting_exists_and_is_good_and_every_probe_asks_a_path_that_answers()
    {
        foreach (var variable in manifests.Containers.SelectMany(manifests.VariablesOf))
            KnownSettings.AssertKnown(variable.Key);

        var silo = await StartOf.Silo(manifests.VariablesOf(SiloPod.Containers[0]));
        var api = await StartOf.FrontEnd(manifests.VariablesOf(ApiPod.Containers[0]));

        AssertProbes(SiloPod.Containers[0], "admin", silo);
        AssertProbes(ApiPod.Containers[0], "http", api);
    }

    [Fact]
    public void The_ports_are_those_of_the_settings()
    {
        var silo = manifests.VariablesOf(SiloPod.Containers[0]);
        Assert.Equal(SiloPort.ToString(CultureInfo.InvariantCulture), silo["Cluster__SiloPort"]);
        Assert.Equal(GatewayPort.ToString(CultureInfo.InvariantCulture), silo["Cluster__GatewayPort"]);
        Assert.Equal($"http://*:{AdminPort}", silo["Admin__Urls"]);
        Assert.Equal($"http://*:{ApiPort}", manifests.VariablesOf(ApiPod.Containers[0])["urls"]);
        Assert.Equal([("silo", SiloPort), ("gateway", GatewayPort), ("admin", AdminPort)], Ports(SiloPod));
        Assert.Equal([("http", ApiPort)], Ports(ApiPod));
        Assert.Equal("admin", Assert.Single(manifests.One<V1Service>("droits-silo-admin").Spec.Ports).TargetPort.Value);
        Assert.Equal("http", Assert.Single(manifests.One<V1Service>("droits-api").Spec.Ports).TargetPort.Value);

        static IEnumerable<(string, int)> Ports(V1PodSpec pod) => pod.Containers[0].Ports.Select(port => (port.Name, port.ContainerPort));
    }

    [Fact]
    public void No_secret_stands_in_a_manifest()
    {
        Assert.Empty(manifests.Of<V1Secret>());
        string[] secret = ["ConnectionString", "Secret", "ApiKey", "Password", "KeysSha256"];
        foreach (var variable in manifests.Containers.SelectMany(container => container.Env ?? []).Where(IsSecret))
            Assert.NotNull(variable.ValueFrom?.SecretKeyRef);
        foreach (var (name, value) in manifests.Of<V1ConfigMap>().SelectMany(map => map.Data))
        {
            Assert.DoesNotContain(secret, word => name.Contains(word, StringComparison.OrdinalIgnoreCase));
            Assert.DoesNotContain("PRIVATE KEY", value, StringComparison.OrdinalIgnoreCase);
        }

        bool IsSecret(V1EnvVar variable) => secret.Any(word => variable.Name.Contains(word, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Every_file_that_a_setting_names_lies_in_something_that_is_mounted_read_only()
    {
        foreach (var pod in new[] { SiloPod, ApiPod })
        {
            var container = pod.Containers[0];
            foreach (var (name, path) in manifests.VariablesOf(container).Where(one => one.Key.EndsWith("File", StringComparison.Ordinal)))
            {
                var mount = Assert.Single(container.VolumeMounts, mount => path!.StartsWith(mount.MountPath + "/", StringComparison.Ordinal));
                Assert.True(mount.ReadOnlyProperty, name);

                // What is mounted as one file is never renewed.
                Assert.Null(mount.SubPath);
                var volume = Assert.Single(pod.Volumes, volume => volume.Name == mount.Name);
                Assert.True(volume.Secret is not null || volume.ConfigMap is not null);
            }
        }
    }

    [Fact]
    public void An_upgrade_or_a_drain_takes_nothing_away_before_its_replacement_works()
    {
        foreach (var deployment in new[] { manifests.Silo, manifests.Api })
        {
            Assert.Equal("0", deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.Value);
            Assert.True(deployment.Spec.MinReadySeconds >= 10);

            // The autoscaler's, or each "apply" would set it back.
            Assert.Null(deployment.Spec.Replicas);
            var pod = deployment.Spec.Template.Spec;
            var before = pod.Containers[0].Lifecycle?.PreStop?.Sleep?.Seconds ?? 0;
            Assert.Equal(150, pod.TerminationGracePeriodSeconds);
            Assert.True(pod.TerminationGracePeriodSeconds > new ClusterSettings().StopSeconds + before);
            Assert.NotEmpty(pod.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution);
            Assert.NotEmpty(pod.TopologySpreadConstraints);

            var budget = manifests.One<V1PodDisruptionBudget>(deployment.Metadata.Name);
            Assert.Equal("1", budget.Spec.MaxUnavailable.Value);
            Assert.Equal(deployment.Spec.Selector.MatchLabels, budget.Spec.Selector.MatchLabels);
            Assert.Equal(deployment.Spec.Selector.MatchLabels.Single(), deployment.Spec.Template.Metadata.Labels.Single(label => label.Key == "app.kubernetes.io/name"));
        }
    }

    [Fact]
    public void The_autoscaler_looks_at_CPU_and_memory_which_are_asked_for()
    {
        foreach (var scaler in manifests.Of<V2HorizontalPodAutoscaler>())
        {
            var deployment = manifests.One<V1Deployment>(scaler.Spec.ScaleTargetRef.Name);
            Assert.Equal(["cpu", "memory"], scaler.Spec.Metrics.Select(metric => metric.Resource.Name));
            Assert.True(scaler.Spec.MinReplicas >= 3 && scaler.Spec.MaxReplicas > scaler.Spec.MinReplicas);

            // One silo at a time may go, and its grains must have moved before the next.
            var policy = Assert.Single(scaler.Spec.Behavior.ScaleDown.Policies);
            Assert.Equal(1, policy.Value);
            Assert.True(deployment != manifests.Silo || policy.PeriodSeconds > deployment.Spec.Template.Spec.TerminationGracePeriodSeconds);
        }

        foreach (var container in manifests.Containers)
        {
            Assert.NotNull(container.Resources.Requests["cpu"]);
            Assert.Equal(container.Resources.Requests["memory"], container.Resources.Limits["memory"]);
            Assert.DoesNotContain("cpu", container.Resources.Limits.Keys);
        }
    }

    [Fact]
    public void Nobody_is_root_or_writes_to_its_image_or_talks_to_the_control_plane()
    {
        foreach (var pod in new[] { SiloPod, ApiPod, manifests.Migration.Spec.Template.Spec })
        {
            Assert.False(pod.AutomountServiceAccountToken);
            Assert.False(pod.EnableServiceLinks);
            Assert.True(pod.SecurityContext.RunAsNonRoot);
            Assert.Equal(ContainerFileTests.User, pod.SecurityContext.RunAsUser);
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            Assert.Null(pod.HostNetwork);
            foreach (var container in pod.Containers)
            {
                Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
                Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
                Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            }
        }

        Assert.Equal("restricted", manifests.One<V1Namespace>(Namespace).Metadata.Labels["pod-security.kubernetes.io/enforce"]);
    }

    [Fact]
    public void The_images_bear_the_version_of_this_tree()
    {
        var version = XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props")).Descendants("Version").Single().Value;
        Assert.All(manifests.Containers, container => Assert.EndsWith(":" + version, container.Image, StringComparison.Ordinal));
        Assert.Equal(SiloPod.Containers[0].Image, manifests.Migration.Spec.Template.Spec.Containers[0].Image);
        Assert.Equal(["migrate"], manifests.Migration.Spec.Template.Spec.Containers[0].Args);
    }

    [Fact]
    public void Only_those_who_must_reach_a_port_do()
    {
        (string Pod, string Space)[] everybody =
        [
            ("droits-silo", Namespace), ("droits-api", Namespace), ("droits-migration", Namespace), ("droits-api", "elsewhere"), ("droits-silo", "elsewhere"),
            ("anything", OperatorsNamespace), ("anything", IngressNamespace), ("anything", "elsewhere"),
        ];
        Assert.Equal([("droits-silo", Namespace)], Reaching("droits-silo", SiloPort));
        Assert.Equal([("droits-api", Namespace)], Reaching("droits-silo", GatewayPort));
        Assert.Equal([("anything", OperatorsNamespace)], Reaching("droits-silo", AdminPort));
        Assert.Equal([("anything", IngressNamespace)], Reaching("droits-api", ApiPort));
        foreach (var pod in new[] { "droits-silo", "droits-api", "droits-migration", "whatever is added" })
            Assert.Empty(Reaching(pod, 22));

        IEnumerable<(string, string)> Reaching(string pod, int port) => everybody.Where(from => Reaches(from.Pod, from.Space, pod, port));
    }

    [Fact]
    public void Nobody_calls_out_but_where_it_must()
    {
        foreach (var policy in manifests.Of<V1NetworkPolicy>())
        {
            Assert.Contains("Egress", policy.Spec.PolicyTypes);
            Assert.Contains("Ingress", policy.Spec.PolicyTypes);
            Assert.All(policy.Spec.Egress ?? [], rule => Assert.NotEmpty(rule.Ports));
        }

        Assert.Equal(["11111", "30000", "443", "53", "5432"], CallsOf("droits-silo").Union(CallsOf("droits-api")).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("443", CallsOf("droits-api"));
        Assert.DoesNotContain("11111", CallsOf("droits-api"));

        // The overlay's patch takes the place of the open rules of the base.
        Assert.All(manifests.One<V1NetworkPolicy>("droits-silo").Spec.Egress, rule => Assert.NotEmpty(rule.To));

        IEnumerable<string> CallsOf(string name) => manifests.One<V1NetworkPolicy>(name).Spec.Egress.SelectMany(rule => rule.Ports).Select(port => port.Port.Value);
    }

    // What a network that keeps the policies to the letter lets in: a pod that a policy selects is reached only where one of them says so.
    private bool Reaches(string from, string space, string to, int port)
    {
        var selecting = manifests.Of<V1NetworkPolicy>().Where(policy => Selects(policy.Spec.PodSelector, to)).ToList();
        return selecting.Count == 0 || selecting.SelectMany(policy => policy.Spec.Ingress ?? []).Any(rule =>
            (rule.Ports is not { Count: > 0 } ports || ports.Any(one => one.Port.Value == port.ToString(CultureInfo.InvariantCulture)))
            && (rule.FromProperty is not { Count: > 0 } peers || peers.Any(Is)));

        bool Is(V1NetworkPolicyPeer peer) =>
            (peer.PodSelector is null || Selects(peer.PodSelector, from))
            && (peer.NamespaceSelector is null ? space == Namespace : peer.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] == space);
    }

    private static bool Selects(V1LabelSelector selector, string pod) =>
        selector.MatchLabels is not { Count: > 0 } labels || labels["app.kubernetes.io/name"] == pod;

    private static void AssertProbes(V1Container container, string port, IReadOnlyList<string> answered)
    {
        foreach (var (probe, path) in new[]
        {
            (container.StartupProbe, "/health/startup"), (container.ReadinessProbe, "/health/ready"), (container.LivenessProbe, "/health/live"),
        })
        {
            Assert.Equal(path, probe.HttpGet.Path);
            Assert.Contains(probe.HttpGet.Path, answered);
            Assert.Equal(port, probe.HttpGet.Port.Value);
        }
    }
}
