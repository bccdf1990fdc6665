#pragma once
// Rows as an HTTP answer, in the form that the client asks for.

#include "runtime/format/time_zone.h"
#include "runtime/serve/http_message.h"
#include "runtime/sql/sql.h"

namespace flowrun {

// By `?format=` (json, ndjson, csv, arrow, text), else by the header Accept, else JSON. Of text,
// `rows`, `truncate` (a number or false) and `vertical` are those of show().
//
// JSON: {"columns": [{"name", "type"}], "rows": [[...]], "more": false}. NDJSON: an object a line.
// Arrow: a stream of its IPC format (arrow_stream.h).
Result<ApiResponse> answer_rows(const ApiRequest& request, const SqlResult& result,
                                const TimeZone& zone);

// A whole number of the query between two bounds, or what is wrong with it.
Result<int64_t> query_number(const ApiRequest& request, const std::string& name, int64_t fallback,
                             int64_t least, int64_t most);

}  // namespace flowrun
