using DroitsAmeli.Api;
using DroitsAmeli.Grains.Configuration;

if (args is [HealthCommand.Name, .. var running])
    return await HealthCommand.Run(running, WebHostDefaults.ServerUrlsKey, ApiHosting.DefaultUrl);

return await StartFailure.Run(() =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddApi();

    var app = builder.Build();
    StartFailure.Validate(app);
    app.UseApi();
    return app;
});
