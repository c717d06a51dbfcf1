namespace DroitsAmeli.Silo;

/// <summary>
/// Has the web server stop after the silo, and start before it. What is registered last stops first, and that is the web server: whoever
/// asked a silo that hands its grains over how it is would find the port closed.
/// </summary>
internal sealed class AdminPortLast(ServiceProviderOptions options) : IServiceProviderFactory<IServiceCollection>
{
    private const string WebServer = "GenericWebHostService";

    private readonly DefaultServiceProviderFactory factory = new(options);

    public IServiceCollection CreateBuilder(IServiceCollection services)
    {
        var server = services.Last(service => service.ServiceType == typeof(IHostedService) && service.ImplementationType?.Name == WebServer);
        services.Remove(server);
        services.Insert(0, server);
        return factory.CreateBuilder(services);
    }

    public IServiceProvider CreateServiceProvider(IServiceCollection containerBuilder) => factory.CreateServiceProvider(containerBuilder);
}
