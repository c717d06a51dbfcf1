namespace DroitsAmeli.LocalCluster;

/// <summary>What keeps a command from doing its work; the message says what to do.</summary>
public class ClusterException(string message) : Exception(message);

/// <summary>What was typed is no command; the message ends with the usage.</summary>
public sealed class UsageException(string message) : ClusterException(message);
