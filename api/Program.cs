using DroitsAmeli.Api;
using DroitsAmeli.Grains.Configuration;

return await StartFailure.Run(() =>
{
    var builder = WebApplication.CreateBuilder(args);
    builder.AddApi();

    var app = builder.Build();
    StartFailure.Validate(app);
    app.UseApi();
    return app;
});
