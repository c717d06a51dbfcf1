using DroitsAmeli.Grains.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Serialization;
using Polly.Timeout;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Configuration;

public sealed class WireExceptionsTests
{
    private readonly Serializer serializer = Knowing(services => services.AddWireExceptions());

    [Fact]
    public void A_timeout_of_the_placement_arrives_as_what_it_is()
    {
        var arrived = Travel(serializer, new TimeoutException("Placement", new TimeoutRejectedException(TimeSpan.FromSeconds(2))));

        Assert.IsType<TimeoutRejectedException>(Assert.IsType<TimeoutException>(arrived).InnerException);
    }

    [Fact]
    public void A_fault_of_the_database_arrives_as_what_it_is() =>
        Assert.IsType<NpgsqlException>(Travel(serializer, new NpgsqlException("Connection refused")));

    [Fact]
    public void Without_it_they_do_not_arrive() =>
        Assert.Throws<CodecNotFoundException>(() => Travel(Knowing(_ => { }), new TimeoutException("Placement", new TimeoutRejectedException())));

    private static Exception Travel(Serializer serializer, Exception thrown) => serializer.Deserialize<Exception>(serializer.SerializeToArray(thrown))!;

    private static Serializer Knowing(Action<IServiceCollection> more)
    {
        var services = new ServiceCollection();
        services.AddSerializer();
        more(services);
        return services.BuildServiceProvider().GetRequiredService<Serializer>();
    }
}
