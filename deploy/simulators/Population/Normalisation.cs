using System.Globalization;
using System.Text;

namespace DroitsAmeli.Simulators;

/// <summary>Names reduced to what an identity is compared on: no marks, ligatures opened, upper case, apostrophes, hyphens and spaces alike.</summary>
internal static class Normalisation
{
    public static string Of(string name)
    {
        var reduced = new StringBuilder(name.Length);
        foreach (var character in name.Normalize(NormalizationForm.FormD))
            switch (character)
            {
                case 'œ' or 'Œ':
                    reduced.Append("OE");
                    break;
                case 'æ' or 'Æ':
                    reduced.Append("AE");
                    break;
                case 'ı':
                    reduced.Append('I');
                    break;
                case '\'' or '’' or '‘' or 'ʼ' or '`' or '´':
                    AppendSpace(reduced);
                    break;
                default:
                    var category = CharUnicodeInfo.GetUnicodeCategory(character);
                    if (category is UnicodeCategory.DashPunctuation || char.IsWhiteSpace(character))
                        AppendSpace(reduced);
                    else if (category is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.SpacingCombiningMark))
                        reduced.Append(char.ToUpperInvariant(character));
                    break;
            }

        return reduced.ToString().TrimEnd();
    }

    private static void AppendSpace(StringBuilder text)
    {
        if (text.Length > 0 && text[^1] != ' ')
            text.Append(' ');
    }
}
