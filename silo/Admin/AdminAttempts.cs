using System.Net;

namespace DroitsAmeli.Silo.Admin;

/// <summary>
/// Wrong keys, by address: after 10 of them in a minute the address waits for the next, whatever key it brings. Addresses that are too many to
/// remember share one account.
/// </summary>
public sealed class AdminAttempts(TimeProvider time)
{
    /// <summary>Wrong keys for an address and a minute.</summary>
    public const int Most = 10;

    private const int MostAddresses = 1_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, Account> accounts = [];

    /// <summary>How long the address has to wait; null when it may try.</summary>
    public TimeSpan? Wait(IPAddress? address)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            return accounts.TryGetValue(Key(address), out var account) && account.Until > now && account.Failures >= Most
                ? account.Until - now
                : null;
        }
    }

    /// <summary>Notes a wrong key.</summary>
    /// <returns>True when the address has to wait from now on.</returns>
    public bool Failed(IPAddress? address)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            var key = Key(address);
            if (!accounts.TryGetValue(key, out var account) || account.Until <= now)
            {
                foreach (var (old, ended) in accounts)
                {
                    if (ended.Until <= now)
                        accounts.Remove(old);
                }

                account = new(now + Window);
                accounts[key] = account;
            }

            return ++account.Failures == Most;
        }
    }

    // One who holds an IPv6 network holds all its addresses.
    private IPAddress Key(IPAddress? address)
    {
        if (address is null)
            return IPAddress.None;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        if (bytes.Length > 4)
            address = new([.. bytes[..8], 0, 0, 0, 0, 0, 0, 0, 0]);
        return accounts.ContainsKey(address) || accounts.Count < MostAddresses ? address : IPAddress.None;
    }

    private sealed class Account(DateTimeOffset until)
    {
        public DateTimeOffset Until => until;

        public int Failures { get; set; }
    }
}
