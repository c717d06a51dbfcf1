namespace DroitsAmeli.Api;

/// <summary>Turns what the framework refuses, and what fails, into problems.</summary>
public static partial class ProblemsMiddleware
{
    /// <summary>Writes a problem for an exception, and for a status that the framework set without a body.</summary>
    public static IApplicationBuilder UseProblems(this IApplicationBuilder app)
    {
        var logger = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ProblemsMiddleware));
        return app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                context.Abort();
                return;
            }
            catch (BadHttpRequestException)
            {
                throw;
            }
            catch (Exception exception)
            {
                // Messages of the runtime may hold grain keys, so the type and the stack must do.
                LogFailure(logger, CorrelationId.Of(context), exception.GetType().FullName!, exception.StackTrace);
                await Problems.Write(context, Problems.ErreurInterne);
                return;
            }

            if (!context.Response.HasStarted && context.Response.ContentLength is null && context.Response.ContentType is null
                && Of(context.Response.StatusCode) is { } problem)
            {
                await Problems.Write(context, problem);
            }
        });
    }

    private static Problem? Of(int status) => status switch
    {
        StatusCodes.Status404NotFound => Problems.CheminInconnu,
        StatusCodes.Status405MethodNotAllowed => Problems.MethodeRefusee,
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "Call {CorrelationId} failed: {ExceptionType}. Report it to who maintains this program. {StackTrace}")]
    private static partial void LogFailure(ILogger logger, string correlationId, string exceptionType, string? stackTrace);
}
