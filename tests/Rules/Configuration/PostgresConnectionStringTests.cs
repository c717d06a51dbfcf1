using DroitsAmeli.Grains.Configuration;
using Npgsql;
using Xunit;

namespace DroitsAmeli.Tests.Rules.Configuration;

public sealed class PostgresConnectionStringTests
{
    [Fact]
    public void Twenty_statements_are_prepared_where_nothing_is_said_of_it()
    {
        var prepared = new NpgsqlConnectionStringBuilder(PostgresConnectionString.Prepared("Host=db;Username=droits;Password='a;b';Port=5433"));

        Assert.Equal(20, prepared.MaxAutoPrepare);
        Assert.Equal(("db", "droits", "a;b", 5433), (prepared.Host, prepared.Username, prepared.Password, prepared.Port));
    }

    [Theory]
    [InlineData("Max Auto Prepare=0", 0)]
    [InlineData("MaxAutoPrepare=7", 7)]
    [InlineData("max auto prepare=50", 50)]
    public void A_number_that_is_given_is_kept(string setting, int statements) =>
        Assert.Equal(statements, new NpgsqlConnectionStringBuilder(PostgresConnectionString.Prepared($"Host=db;{setting}")).MaxAutoPrepare);
}
