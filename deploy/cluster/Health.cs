namespace DroitsAmeli.LocalCluster;

/// <summary>Asks processes how they are, as a balancer does.</summary>
internal static class Health
{
    private const string SimulatorQuestion = "/sandbox/compteurs";
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(2) };

    public static Task<bool> IsReady(ProcessState process, CancellationToken cancellationToken) => process.Role switch
    {
        Role.RegimeSi or Role.FranceConnect => Answers(process, SimulatorQuestion, cancellationToken),
        _ => Answers(process, "/health/ready", cancellationToken),
    };

    public static Task<bool> IsLive(ProcessState process, CancellationToken cancellationToken) => process.Role switch
    {
        Role.RegimeSi or Role.FranceConnect => Answers(process, SimulatorQuestion, cancellationToken),
        _ => Answers(process, "/health/live", cancellationToken),
    };

    /// <summary>What a silo's admin port tells the operator; null when it does not answer.</summary>
    public static async Task<byte[]?> AskAdmin(ProcessState silo, string path, string key, CancellationToken cancellationToken)
    {
        try
        {
            using var question = new HttpRequestMessage(HttpMethod.Get, new Uri(silo.Address!, path)) { Headers = { { "X-Admin-Key", key } } };
            using var answer = await Http.SendAsync(question, cancellationToken);
            return answer.IsSuccessStatusCode ? await answer.Content.ReadAsByteArrayAsync(cancellationToken) : null;
        }
        catch (Exception failure) when (IsNoAnswer(failure, cancellationToken))
        {
            return null;
        }
    }

    private static async Task<bool> Answers(ProcessState process, string path, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri(process.Address!, path), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception failure) when (IsNoAnswer(failure, cancellationToken))
        {
            return false;
        }
    }

    private static bool IsNoAnswer(Exception failure, CancellationToken cancellationToken) =>
        failure is HttpRequestException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested);
}
