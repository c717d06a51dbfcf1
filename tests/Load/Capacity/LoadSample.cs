using System.Globalization;
using System.Text.Json.Serialization;

namespace DroitsAmeli.Load.Capacity;

/// <summary>What a cluster used while visits were sent at one rate, or none were.</summary>
/// <param name="Silos">The cluster.</param>
/// <param name="Rate">Visits per second.</param>
/// <param name="ColdShare">The share that was to be cold.</param>
/// <param name="Seconds">How long it was watched, from before the first visit to after the last.</param>
/// <param name="WarmVisits">Those that finished.</param>
/// <param name="ColdVisits">Those that finished.</param>
/// <param name="Unfinished">Those that did not: nothing can be concluded where there are many.</param>
/// <param name="SentLate">Visits that this program began too late.</param>
/// <param name="SiCalls">Calls to the SI.</param>
/// <param name="Checktokens">Calls to FranceConnect.</param>
/// <param name="FrontEndSeconds">CPU of all front ends.</param>
/// <param name="SiloSeconds">CPU of all silos.</param>
/// <param name="PostgresSeconds">CPU of all processes of PostgreSQL.</param>
/// <param name="OtherSeconds">CPU of the simulators and of this program.</param>
/// <param name="AnswerBytes">Bodies of answers 200.</param>
/// <param name="LoadAverage">Runnable tasks of the machine over the last minute, at the end.</param>
public sealed record LoadSample(
    int Silos,
    double Rate,
    double ColdShare,
    double Seconds,
    int WarmVisits,
    int ColdVisits,
    int Unfinished,
    int SentLate,
    long SiCalls,
    long Checktokens,
    double FrontEndSeconds,
    double SiloSeconds,
    double PostgresSeconds,
    double OtherSeconds,
    long AnswerBytes,
    double LoadAverage)
{
    public int Visits => WarmVisits + ColdVisits;

    /// <summary>The share of the machine's processors that this load used, simulators and generator included.</summary>
    public double Busy => (FrontEndSeconds + SiloSeconds + PostgresSeconds + OtherSeconds) / Seconds / Environment.ProcessorCount;

    /// <summary>CPU milliseconds of the product for each visit, what costs time included; of a sample with visits.</summary>
    [JsonIgnore]
    public double AllInMs => (FrontEndSeconds + SiloSeconds + PostgresSeconds) * 1000 / Visits;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Silos} silos, {Rate,5:0.#}/s, {ColdShare:P0} cold: {WarmVisits} warm and {ColdVisits} cold visits in {Seconds:0.0} s, {Unfinished} not finished, {SentLate} sent late; CPU s front ends {FrontEndSeconds:0.00}, silos {SiloSeconds:0.00}, PostgreSQL {PostgresSeconds:0.00}, simulators and generator {OtherSeconds:0.00}; {SiCalls} SI calls, {Checktokens} checktokens; machine {Busy:P0} busy by this, load average {LoadAverage:0.0}");

    internal CpuSample Of(Func<LoadSample, double> role) => new(Seconds, WarmVisits, ColdVisits, role(this));
}
