namespace DroitsAmeli.Grains.RegimeSi;

/// <summary>What is asked of the SI: the first, the second and the last call of a visit.</summary>
public enum SiStage
{
    Identification,
    Composition,
    Droits,
}
