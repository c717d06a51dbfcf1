using System.Collections;

namespace DroitsAmeli.Grains.Logs;

/// <summary>What is logged beside the message, or a scope, as a provider may read it.</summary>
internal class FilteredState(object state, KeyFilter filter)
{
    public static FilteredState Of(object? state, KeyFilter filter) => state switch
    {
        IReadOnlyList<KeyValuePair<string, object?>> values => new Values(values, values, filter),
        IEnumerable<KeyValuePair<string, object?>> values => new Values(values.ToList(), values, filter),
        _ => new FilteredState(state ?? "", filter),
    };

    public override string ToString() => filter.Replace(state.ToString() ?? "");

    private sealed class Values(IReadOnlyList<KeyValuePair<string, object?>> values, object state, KeyFilter filter)
        : FilteredState(state, filter), IReadOnlyList<KeyValuePair<string, object?>>
    {
        private readonly KeyFilter filter = filter;

        public int Count => values.Count;

        public KeyValuePair<string, object?> this[int index] => new(filter.Replace(values[index].Key), filter.Replace(values[index].Value));

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
        {
            for (var i = 0; i < Count; i++)
                yield return this[i];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
