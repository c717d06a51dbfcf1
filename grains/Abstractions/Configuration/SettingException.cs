namespace DroitsAmeli.Grains.Configuration;

/// <summary>What an operator has set keeps a process from starting; the message names the setting or the file, and quotes no secret.</summary>
public class SettingException : InvalidOperationException
{
    public SettingException()
    {
    }

    public SettingException(string message)
        : base(message)
    {
    }

    public SettingException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
