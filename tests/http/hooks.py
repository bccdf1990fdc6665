"""What the fuzzer minds: a stream of events without a limit does not end, and one of more than one takes its time."""
import schemathesis


@schemathesis.hook
def map_query(context, query):
    if context.operation.path != "/v1/events":
        return query
    limit = (query or {}).get("limit", 0)
    return {**(query or {}), "limit": 1 + (limit % 20 == 0) if isinstance(limit, int) else limit}
