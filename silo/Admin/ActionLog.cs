using DroitsAmeli.Grains.Exploitation;
using DroitsAmeli.Grains.Logs;

namespace DroitsAmeli.Silo.Admin;

/// <summary>
/// What operators asked for, and what became of it. Warnings all of them, so that a silo which logs nothing milder keeps them; a family stands
/// there as <see cref="LogReference"/>, an operator as the beginning of the key's hash.
/// </summary>
public sealed partial class ActionLog(LogReference references, ILogger<ActionLog> logger)
{
    /// <summary>What stands for that family.</summary>
    internal string Reference(string famille) => references.Of(famille);

    internal void Looked(string operatorName, string famille, FamilleLook look) =>
        LogLooked(operatorName, Reference(famille), look.State is not null, look.Stored is not null, look.Answered, look.Silos);

    internal void Done(string operatorName, string action, string subject, ActionReport report) => LogDone(
        operatorName,
        action,
        subject,
        report.Ordre.Id,
        report.Report.Kept,
        report.Report.Obeyed,
        report.Report.Silos,
        report.Report.Familles,
        report.Removed.Familles,
        report.Report.Identites,
        report.Removed.Identites,
        report.Store);

    internal void WarmedUp(string operatorName, string action, PrechauffageState state) =>
        LogWarmUp(operatorName, action, state.Phase, state.PerSecond, state.Seen);

    internal void Refused(string? address, string reason) => LogRefused(address, reason);

    internal void Unusable(string operatorName, string path, int status) => LogUnusable(operatorName, path, status);

    internal void Failed(string operatorName, string path, string error) => LogFailed(operatorName, path, error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Operator {Operator} looked at {Famille}: active {Active}, stored {Stored}, {Answered} of {Silos} silos answered. Nothing has to be done.")]
    private partial void LogLooked(string @operator, string famille, bool active, bool stored, int answered, int silos);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Operator {Operator} ordered {Action} ({Subject}), order {Ordre}, {Kept}: {Obeyed} of {Silos} silos obeyed, {Familles} active families, {Stored} stored ones, {Identites} identities, {StoredIdentites} stored ones; store: {Store}. Nothing has to be done: silos that have not obeyed are told again, and what the store is owed is done once its database answers.")]
    private partial void LogDone(
        string @operator, string action, string subject, Guid ordre, OrdreKept kept, int obeyed, int silos, int familles, int stored, int identites, int storedIdentites, StoreEffect store);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Operator {Operator}, warm-up, {Action}: {Phase}, {PerSecond} families/s, {Seen} seen. Nothing has to be done.")]
    private partial void LogWarmUp(string @operator, string action, PrechauffagePhase phase, int perSecond, int seen);

    [LoggerMessage(Level = LogLevel.Warning, Message = "An operator's call from {Address} is refused: {Reason}. See that it sends a key of Admin:KeysSha256 as X-Admin-Key; if it is no operator's, see who can reach Admin:Urls.")]
    private partial void LogRefused(string? address, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Operator {Operator} asked for {Path} in a way that cannot be used: {Status}. See the answer, which tells what is wrong.")]
    private partial void LogUnusable(string @operator, string path, int status);

    [LoggerMessage(Level = LogLevel.Error, Message = "What operator {Operator} asked for at {Path} failed: {Error}. It can be repeated as it is. Report it to who maintains this program if it fails again.")]
    private partial void LogFailed(string @operator, string path, string error);
}
