using System.Globalization;
using System.Net;
using System.Text.Json;
using DroitsAmeli.Grains.RegimeSi;
using Microsoft.Extensions.Options;

namespace DroitsAmeli.Grains.Evenements;

/// <summary>Polls the régime SI's change feed, outside the cap and the circuit of the other calls.</summary>
public sealed class EvenementsClient : IDisposable
{
    /// <summary>Bytes of a page, after decompression.</summary>
    public const int MaxBodyBytes = 8 * 1024 * 1024;

    private readonly HttpClient http;
    private readonly string url;
    private readonly TimeSpan timeout;
    private readonly TimeProvider time;

    public EvenementsClient(IOptions<RegimeSiOptions> si, IOptions<EvenementsOptions> options, TimeProvider time)
    {
        this.time = time;
        timeout = options.Value.PollTimeout;
        url = string.Create(CultureInfo.InvariantCulture, $"{si.Value.BaseUrl.TrimEnd('/')}/si/v1/evenements?attente={options.Value.WaitSeconds}");
        http = SiHttp.CreateClient(si.Value);
    }

    /// <summary>Asks for the events after a cursor, and waits for the first one; without a cursor the feed starts now.</summary>
    /// <param name="apres">The cursor; null: now.</param>
    /// <param name="cancellationToken">The only thing it throws for.</param>
    public async Task<FeedAnswer> Poll(string? apres, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var label = "no_answer";
        try
        {
            var answer = await Ask(apres, status => label = status, either.Token).ConfigureAwait(false);
            return answer;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            label = "cancelled";
            throw;
        }
        catch (OperationCanceledException)
        {
            label = "timed_out";
            return new FeedAnswer.Failed(null);
        }
        catch (RefusedAnswerException refused)
        {
            label = "refused";
            Note(refused.Reason);
            return refused.Reason is RefusalReason.UnexpectedStatus ? new FeedAnswer.Failed(null) : new FeedAnswer.Refused(refused.Reason, null);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or InvalidDataException)
        {
            return new FeedAnswer.Failed(null);
        }
        finally
        {
            Telemetry.SiCalls.Add(1, new KeyValuePair<string, object?>("call", "evenements"), new KeyValuePair<string, object?>("status", label));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    private async Task<FeedAnswer> Ask(string? apres, Action<string> label, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, apres is null ? url : $"{url}&apres={Uri.EscapeDataString(apres)}");
        using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        label(((int)response.StatusCode).ToString(CultureInfo.InvariantCulture));
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                return Read(await ReadBody(response.Content, cancellationToken).ConfigureAwait(false), apres, label);
            case HttpStatusCode.Gone:
                return new FeedAnswer.Gone(await ReadCurseur(response.Content, cancellationToken).ConfigureAwait(false));
            case var status when status == HttpStatusCode.TooManyRequests || (int)status >= 500:
                return new FeedAnswer.Failed(SiHttp.ReadRetryAfter(response, time));
            default:
                throw new RefusedAnswerException(RefusalReason.UnexpectedStatus);
        }
    }

    private static FeedAnswer Read(ReadOnlyMemory<byte> page, string? apres, Action<string> label)
    {
        try
        {
            return EvenementsPayload.ReadPage(page, apres);
        }
        catch (RefusedAnswerException refused)
        {
            label("refused");
            Note(refused.Reason);
            return new FeedAnswer.Refused(refused.Reason, EvenementsPayload.ReadCurseur(page) is { } curseur && curseur != apres ? curseur : null);
        }
    }

    private static void Note(RefusalReason refused) =>
        Telemetry.SiRefused.Add(1, new KeyValuePair<string, object?>("reason", JsonNamingPolicy.SnakeCaseLower.ConvertName(refused.ToString())));

    private static async Task<string?> ReadCurseur(HttpContent content, CancellationToken cancellationToken)
    {
        try
        {
            return EvenementsPayload.ReadCurseur(await ReadBody(content, cancellationToken).ConfigureAwait(false));
        }
        catch (RefusedAnswerException)
        {
            return null;
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBody(HttpContent content, CancellationToken cancellationToken) =>
        await SiHttp.ReadBody(content, MaxBodyBytes, cancellationToken).ConfigureAwait(false) ?? throw new RefusedAnswerException(RefusalReason.TooLarge);
}
