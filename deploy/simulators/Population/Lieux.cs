using System.Collections.Frozen;
using System.Globalization;

namespace DroitsAmeli.Simulators;

/// <summary>
/// Places of birth: INSEE codes of communes as they are today, what they were at the time (Corsica before 1976, the Paris region before
/// 1968, Algeria before 1963), and countries.
/// </summary>
internal static class Lieux
{
    public const string France = "99100";
    public const string Algerie = "99352";

    private const int CorsicaSplit = 1976;
    private const int ParisRegionSplit = 1968;
    private const int AlgerianIndependence = 1963;

    /// <summary>Départements without history, with the number of their chef-lieu.</summary>
    private static readonly string[] Ordinary =
    [
        "01053", "02408", "03190", "04070", "05061", "06088", "07186", "08105", "09122", "10387", "11069", "12202", "13055", "14118",
        "15014", "16015", "17300", "18033", "19272", "21231", "22278", "23096", "24322", "25056", "26362", "27229", "28085", "29232",
        "30189", "31555", "32013", "33063", "34172", "35238", "36044", "37261", "38185", "39300", "40192", "41018", "42218", "43157",
        "44109", "45234", "46042", "47001", "48095", "49007", "50502", "51108", "52121", "53130", "54395", "55029", "56260", "57463",
        "58194", "59350", "60057", "61001", "62041", "63113", "64445", "65440", "66136", "67482", "68066", "69123", "70550", "71270",
        "72181", "73065", "74010", "76540", "77288", "79191", "80021", "81004", "82121", "83137", "84007", "85191", "86194", "87085",
        "88160", "89024", "90010",
    ];

    private static readonly string[] ParisRegion =
    [
        .. Numbers("75", 101, 120), .. Each("78", 646, 498, 551, 361, 517, 172, 586, 621), .. Each("91", 228, 174, 223, 377, 477),
        .. Each("92", 2, 4, 7, 9, 12, 19, 23, 24, 25, 26, 35, 36, 40, 44, 49, 50, 51, 62, 73, 75), .. Each("93", 1, 8, 10, 31, 48, 53, 55, 63, 66, 70),
        .. Each("94", 17, 28, 33, 41, 46, 52, 68, 76, 80, 81), .. Each("95", 127, 500, 18, 585, 280),
    ];

    private static readonly string[] Corsica =
    [
        .. Each("2A", 1, 4, 6, 8, 11, 14, 17, 18, 19, 21, 22, 24, 26, 27), .. Each("2B", 2, 3, 5, 7, 9, 10, 12, 13, 15, 16, 20, 23, 25, 33),
    ];

    private static readonly string[] Overseas =
    [
        .. Each("97", 101, 105, 113, 120, 132), .. Each("97", 209, 213, 222, 224, 229), .. Each("97", 302, 304, 307, 309, 311),
        .. Each("97", 407, 408, 411, 415, 416), .. Each("97", 608, 611, 610),
    ];

    private static readonly string[] Countries =
    [
        .. Each("99", 101, 103, 104, 105, 109, 110, 111, 112, 114, 118, 119, 121, 122, 123, 125, 126, 127, 131, 132, 134, 135, 136, 137, 139,
            140, 145, 148, 151, 155, 156, 203, 204, 205, 206, 207, 208, 212, 213, 216, 217, 219, 220, 223, 231, 234, 235, 239, 241, 243, 246,
            252, 253, 255, 301, 303, 312, 315, 316, 322, 323, 324, 326, 327, 328, 329, 330, 331, 332, 333, 335, 336, 337, 338, 341, 343, 344,
            345, 350, 351, 352, 390, 393, 395, 396, 397, 399, 401, 404, 405, 407, 410, 415, 416, 417, 418, 419, 422, 429, 501),
    ];

    private static readonly FrozenDictionary<string, string> OldToPresent =
        ParisRegion.Concat(Corsica).Where(code => Old(code) != code).ToFrozenDictionary(Old);

    public static bool IsAbroad(string place) => place.StartsWith("99", StringComparison.Ordinal);

    /// <summary>The code that stood in the registers, and stands in the NIR, for a birth there in that year.</summary>
    public static string AtBirth(string place, int year) => place[..2] switch
    {
        "2A" or "2B" when year < CorsicaSplit => Old(place),
        "91" or "92" or "93" or "94" or "95" when year < ParisRegionSplit => Old(place),
        "99" when place == Algerie && year < AlgerianIndependence => "92352",
        _ => place,
    };

    /// <summary>The present code behind one that may be of its time; unknown codes are returned as they are.</summary>
    public static string Present(string code) => code switch
    {
        "91352" or "92352" or "93352" or "94352" => Algerie,
        _ => OldToPresent.GetValueOrDefault(code, code),
    };

    /// <summary>All places of a population: so many communes for each ordinary département, and the others whole.</summary>
    public static string[] Table(int communesPerDepartement) =>
    [
        .. Ordinary.SelectMany(chefLieu => Enumerable.Range(1, communesPerDepartement)
            .Select(number => string.Create(CultureInfo.InvariantCulture, $"{chefLieu[..2]}{number:000}"))
            .Append(chefLieu).Distinct()),
        .. ParisRegion, .. Corsica, .. Overseas, .. Countries,
    ];

    private static string Old(string code) => code[..2] switch
    {
        "2A" or "2B" => "20" + code[2..],
        "92" or "93" or "94" => "75" + code[2..],
        "91" or "95" => "78" + code[2..],
        _ => code,
    };

    private static IEnumerable<string> Each(string departement, params int[] communes) =>
        communes.Select(number => string.Create(CultureInfo.InvariantCulture, $"{departement}{number:000}"));

    private static IEnumerable<string> Numbers(string departement, int first, int last) =>
        Each(departement, [.. Enumerable.Range(first, last - first + 1)]);
}
