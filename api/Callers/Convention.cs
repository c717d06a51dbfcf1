using DroitsAmeli.Api.Droits;

namespace DroitsAmeli.Api.Callers;

/// <summary>The two types of partner; there is no third.</summary>
public enum CallerType
{
    EtablissementDeSoins,
    OrganismeComplementaire,
}

/// <summary>What an organisme complémentaire gets of the exonerations.</summary>
public enum ExonerationsRule
{
    /// <summary>403.</summary>
    Refusees,

    /// <summary>Dates only, and MAT, NE and STE left out.</summary>
    Masquees,
}

/// <summary>What the partner's users are doing when it calls.</summary>
public enum CasUsage
{
    PreAdmission,
    Adhesion,
}

/// <summary>Who an API key belongs to, whatever its convention is worth today: enough for the quota, logs and the audit.</summary>
/// <param name="Id">The convention's id.</param>
/// <param name="QuotaParMinute">Null: not to be read, and the convention is disabled.</param>
/// <param name="QuotaParJour">Null: not to be read, and the convention is disabled.</param>
public sealed record Partner(string Id, int? QuotaParMinute, int? QuotaParJour);

/// <summary>A partner's convention d'usage, as the conventions file states it.</summary>
public sealed record Convention
{
    public required string Id { get; init; }
    public required string Nom { get; init; }
    public required CallerType Type { get; init; }
    public required ExonerationsRule Exonerations { get; init; }

    /// <summary>The partner's FranceConnect client ids; a token issued to another is refused.</summary>
    public required IReadOnlySet<string> ClientsFranceConnect { get; init; }

    public CasUsage? CasUsage { get; init; }
    public required bool Active { get; init; }

    /// <summary>The first day, included; null: since always.</summary>
    public DateOnly? Debut { get; init; }

    /// <summary>The last day, included; null: for ever.</summary>
    public DateOnly? Fin { get; init; }

    /// <summary>The resources the convention may call; null: all that its type may.</summary>
    public IReadOnlySet<Ressource>? Ressources { get; init; }

    /// <summary>The oldest copy the convention accepts; null: the product's default.</summary>
    public TimeSpan? AgeMaximal { get; init; }

    /// <summary>True when the convention is active and that day, in Paris, is within its dates.</summary>
    public bool IsInForce(DateOnly day) => Active && (Debut is null || Debut <= day) && (Fin is null || day <= Fin);
}
