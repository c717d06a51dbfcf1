using DroitsAmeli.Grains.Configuration;
using DroitsAmeli.Grains.Storage.Schema;
using DroitsAmeli.Silo;
using DroitsAmeli.Silo.Admin;

if (args is [MigrateCommand.Name, .. var settings])
    return await MigrateCommand.Run(settings);
if (args is [HealthCommand.Name, .. var running])
    return await HealthCommand.Run(running, SiloHosting.AdminUrlsSetting, SiloHosting.DefaultAdminUrls);

return await StartFailure.Run(
    () =>
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddSilo();

        var app = builder.Build();
        app.MapSiloHealth();
        app.MapAdmin();
        return app;
    },
    app => app.Services.GetRequiredService<SchemaAtStart>().Check(CancellationToken.None));
