#include "runtime/serve/api.h"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "runtime/base/check.h"
#include "runtime/base/suggest.h"
#include "runtime/format/json_writer.h"
#include "runtime/format/utc_text.h"
#include "runtime/serve/answer.h"
#include "runtime/serve/embedded_files.h"
#include "runtime/serve/http_guard.h"
#include "runtime/serve/metrics.h"
#include "runtime/serve/view_json.h"

namespace flowrun {

namespace {

constexpr int64_t kMostRows = 1'000'000;
constexpr int64_t kMostTapped = 1000;
constexpr int64_t kMostEvents = 1'000'000;
constexpr int64_t kMostPatience = 30'000;  // milliseconds
constexpr int64_t kTapSlice = 50'000;      // microseconds between looks at who still wants it
constexpr std::string_view kTables = "/v1/tables/";
constexpr std::string_view kNodes = "/v1/nodes/";
constexpr std::string_view kTap = "/tap";

const TimeZone& zone_of(const std::string& name) {
  const auto zone = find_time_zone(name);
  return zone ? **zone : TimeZone::utc();
}

bool matches(std::string_view pattern, std::string_view path) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == path;
  const std::string_view tail = pattern.substr(star + 1);
  return path.starts_with(pattern.substr(0, star)) && path.ends_with(tail) &&
         path.size() > star + tail.size();
}

// The statement, and how many rows are wanted at most.
Result<std::string> statement_of(const ApiRequest& request, SqlOptions& options) {
  const int64_t most = options.max_rows;
  FLOWRUN_TRY(options.max_rows, query_number(request, "max_rows", most, 1, kMostRows));
  options.max_rows = std::min(options.max_rows, most);
  if (request.header("content-type").find("json") == std::string_view::npos) return request.body;
  rapidjson::Document document;
  document.Parse(request.body.data(), request.body.size());
  const bool right = !document.HasParseError() && document.IsObject() &&
                     document.HasMember("sql") && document["sql"].IsString();
  if (!right)
    return Error::invalid(
        "the body must be {\"sql\": \"select ...\"}, or the statement as text/plain");
  if (document.HasMember("max_rows")) {
    if (!document["max_rows"].IsInt64() || document["max_rows"].GetInt64() < 1)
      return Error::invalid("`max_rows` must be a whole number above 0");
    options.max_rows = std::min(document["max_rows"].GetInt64(), most);
  }
  return std::string(document["sql"].GetString(), document["sql"].GetStringLength());
}

// Row numbers in the order of a column, as Spark sorts.
Result<std::vector<int32_t>> sorted_rows(const RecordBatch& rows, std::string_view order) {
  const size_t space = order.find(' ');
  const std::string direction =
      lower_name(space == std::string_view::npos ? "asc" : order.substr(space + 1));
  if (direction != "asc" && direction != "desc")
    return Error::invalid("`order` must be a column, with asc or desc behind it");
  FLOWRUN_TRY(const size_t index, rows.schema()->find(order.substr(0, space)));
  const Column& column = *rows.column(index);
  if (column.type().id() == TypeId::map)
    return Error::invalid("a map has no order — order by another column");
  std::vector<int32_t> numbers(static_cast<size_t>(rows.num_rows()));
  std::iota(numbers.begin(), numbers.end(), 0);
  std::ranges::stable_sort(numbers, [&](int32_t a, int32_t b) {
    const int order_of = compare_rows(column, a, column, b);
    return direction == "asc" ? order_of < 0 : order_of > 0;
  });
  return numbers;
}

// So many rows from `begin` on, as one batch; the other batches are not touched.
RecordBatch rows_between(const Schema& schema, const std::vector<RecordBatch>& batches,
                         int64_t begin, int64_t count) {
  std::vector<RecordBatch> parts;
  for (const RecordBatch& batch : batches) {
    const int64_t skipped = std::min(begin, batch.num_rows());
    const int64_t taken = std::min(count, batch.num_rows() - skipped);
    if (taken > 0) parts.push_back(batch.slice(skipped, taken));
    begin -= skipped;
    count -= taken;
  }
  if (!parts.empty()) return concatenate(parts);
  std::vector<ColumnPtr> none;
  for (const Field& field : schema.fields()) none.push_back(null_column(field.type, 0));
  return {Schema::make({schema.fields().begin(), schema.fields().end()}), 0, std::move(none)};
}

// The columns that pass where the tap sits, by the graph, but are not made: nobody reads them.
std::vector<std::string> columns_not_read(const GraphView& graph, const TapRequest& wanted,
                                          const RecordBatch& rows) {
  const auto has = [](const Schema& schema, const std::string& name) {
    return std::ranges::count(schema.fields(), name, &Field::name) > 0;
  };
  const auto is_named = [&](const NodeView& node) {
    return node.id == wanted.node || node.name == wanted.node;
  };
  for (const EdgeView& edge : graph.edges) {
    const NodeView& from = graph.nodes[edge.from];
    const NodeView& to = graph.nodes[edge.to];
    const bool leaves = is_named(from) && to.name != from.name && edge.port == wanted.port;
    const bool enters = is_named(to) && !is_named(from);
    if (wanted.input ? !enters : !leaves) continue;
    const auto port = std::ranges::find(from.ports, edge.port, &PortView::name);
    // Edges into a join carry rows of two shapes: it is the one whose rows are shown.
    if (port == from.ports.end() ||
        !std::ranges::all_of(rows.schema()->fields(),
                             [&](const Field& f) { return has(*port->schema, f.name); }))
      continue;
    std::vector<std::string> names;
    for (const Field& field : port->schema->fields()) {
      if (!has(*rows.schema(), field.name)) names.push_back(field.name);
    }
    return names;
  }
  return {};
}

int status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid:
    case ErrorCode::data:
      return 400;
    case ErrorCode::cancelled:
      return 408;
    default:
      return 503;
  }
}

}  // namespace

Api::Api(Engine& engine, const FunctionRegistry& functions, const LiveState& state, Options options)
    : engine_(engine),
      state_(state),
      options_(std::move(options)),
      sql_(functions, engine.plan().timezone),
      tables_(engine),
      zone_(zone_of(engine.plan().timezone)) {}

const std::vector<Api::Route>& Api::routes() {
  static const std::vector<Route> kRoutes = {
      {"GET", "/v1/status", &Api::status},
      {"GET", "/v1/tables", &Api::tables},
      {"GET", "/v1/tables/*", &Api::table},
      {"POST", "/v1/sql", &Api::sql},
      {"GET", "/v1/words", &Api::words},
      {"GET", "/v1/graph", &Api::graph},
      {"GET", "/v1/nodes/*/tap", &Api::tap},
      {"GET", "/v1/events", &Api::events},
      {"GET", "/v1/log", &Api::log},
      {"GET", "/metrics", &Api::metrics},
      {"GET", "/healthz", &Api::healthz},
      {"GET", "/readyz", &Api::readyz},
      {"POST", "/v1/stop", &Api::stop},
      {"GET", "/openapi.json", &Api::description},
      {"GET", "/", &Api::page},
      {"GET", "/dashboard/*", &Api::page},
  };
  return kRoutes;
}

ApiResponse Api::answer(const ApiRequest& request) {
  std::string allowed;
  for (const Route& route : routes()) {
    if (!matches(route.path, request.path)) continue;
    if (request.method != route.method) {
      allowed = route.method;
      continue;
    }
    auto response = (this->*route.handler)(request);
    if (response) return std::move(*response);
    ApiResponse refused = error_response(status_of(response.error()), response.error().message);
    return refused;
  }
  if (allowed.empty())
    return error_response(
        404, "there is nothing at " + request.path + " — /openapi.json lists what there is");
  ApiResponse refused = error_response(405, request.path + " takes " + allowed + " only");
  refused.headers.emplace_back("Allow", allowed == "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS");
  return refused;
}

Result<ApiResponse> Api::status(const ApiRequest&) {
  return ApiResponse{.body = status_json(engine_, state_, options_.version)};
}

std::string Api::tables_json() {
  std::string out = "[";
  const std::vector<TableView> views = engine_.tables();
  for (const SqlTable& table : tables_.tables()) {
    const auto view = std::ranges::find(views, table.name, &TableView::name);
    out += out.size() > 1 ? "," : "";
    append_table_json(table, view == views.end() ? nullptr : view->rows.get(), out);
  }
  return out + "]";
}

Result<ApiResponse> Api::tables(const ApiRequest&) {
  return ApiResponse{.body = "{\"tables\":" + tables_json() + "}\n"};
}

// Straight from the table, so that no digit is lost on the way.
Result<ApiResponse> Api::table(const ApiRequest& request) {
  const std::string name = request.path.substr(kTables.size());
  FLOWRUN_TRY(const int64_t limit, query_number(request, "limit", 1000, 0, kMostRows));
  FLOWRUN_TRY(const int64_t offset, query_number(request, "offset", 0, 0, INT64_MAX));
  std::vector<std::string> names;
  for (const SqlTable& table : tables_.tables()) {
    names.push_back(table.name);
    if (!names_equal(table.name, name)) continue;
    std::vector<RecordBatch> batches = table.batches;
    if (table.load) {
      FLOWRUN_TRY(batches, table.load());
    }
    int64_t num_rows = 0;
    for (const RecordBatch& batch : batches) num_rows += batch.num_rows();
    const int64_t begin = std::min(offset, num_rows);
    const int64_t count = std::min({limit, options_.sql.max_rows, num_rows - begin});
    const bool more = begin + count < num_rows;
    const auto order = request.query.find("order");
    RecordBatch rows;
    if (order != request.query.end()) {
      rows = rows_between(*table.schema, batches, 0, num_rows);
      FLOWRUN_TRY(std::vector<int32_t> numbers, sorted_rows(rows, order->second));
      rows = rows.take(
          std::span(numbers).subspan(static_cast<size_t>(begin), static_cast<size_t>(count)));
    } else {
      rows = rows_between(*table.schema, batches, begin, count);
    }
    return answer_rows(request, {std::move(rows), more}, zone_);
  }
  return error_response(404, "no table " + back_quoted(name) + did_you_mean(name, names));
}

Result<ApiResponse> Api::sql(const ApiRequest& request) {
  SqlOptions options = options_.sql;
  if (request.cancelled)
    options.cancelled = [cancelled = request.cancelled] { return cancelled->load(); };
  FLOWRUN_TRY(const std::string statement, statement_of(request, options));
  auto result = sql_.run(statement, tables_.tables(), options);
  if (result) return answer_rows(request, *result, zone_);
  const Error& error = result.error();
  ApiResponse response;
  response.status = status_of(error);
  response.body = "{\"error\":{\"message\":";
  append_json_string(error.message, response.body);
  if (error.offset) response.body += fmt::format(",\"offset\":{}", *error.offset);
  response.body += ",\"text\":";
  append_json_string(point_into(statement, error), response.body);
  response.body += "}}\n";
  return response;
}

Result<ApiResponse> Api::words(const ApiRequest&) {
  std::string body = "{\"words\":[";
  bool first = true;
  for (const std::string& word : sql_.words(tables_.tables())) {
    if (!first) body += ',';
    first = false;
    append_json_string(word, body);
  }
  return ApiResponse{.body = body + "]}\n"};
}

Result<ApiResponse> Api::graph(const ApiRequest&) {
  return ApiResponse{.body = graph_json(engine_.graph()) + "\n"};
}

Result<ApiResponse> Api::tap(const ApiRequest& request) {
  TapRequest wanted;
  wanted.node =
      request.path.substr(kNodes.size(), request.path.size() - kNodes.size() - kTap.size());
  FLOWRUN_TRY(wanted.limit, query_number(request, "limit", wanted.limit, 1, kMostTapped));
  FLOWRUN_TRY(int64_t patience, query_number(request, "wait_ms", 5000, 0, kMostPatience));
  if (request.query.contains("port")) wanted.port = request.query.at("port");
  if (request.query.contains("input")) wanted.input = request.query.at("input") == "true";
  auto tap = engine_.tap(wanted);
  if (!tap) {
    const bool unknown = tap.error().message.starts_with("no node");
    return error_response(unknown ? 404 : 400, tap.error().message);
  }
  const auto unwanted = [&] { return request.cancelled && request.cancelled->load(); };
  const int64_t end = system_clock().monotonic() + patience * 1000;
  while (
      !(*tap)->wait(std::min(kTapSlice, std::max<int64_t>(0, end - system_clock().monotonic()))) &&
      system_clock().monotonic() < end && !unwanted() &&
      state_.phase() <= LiveState::Phase::running) {
  }
  RecordBatch rows = (*tap)->rows();
  const bool any = rows.schema() != nullptr;
  if (!any) rows = RecordBatch(Schema::make({}), 0, {});
  FLOWRUN_TRY(ApiResponse response, answer_rows(request, {rows, false}, zone_));
  std::string missing;
  for (const std::string& name :
       any ? columns_not_read(engine_.graph(), wanted, rows) : std::vector<std::string>())
    missing += (missing.empty() ? "" : ",") + percent_encoded(name);
  if (!missing.empty()) response.headers.emplace_back(kColumnsNotRead, missing);
  return response;
}

Result<ApiResponse> Api::events(const ApiRequest& request) {
  ApiResponse response;
  FLOWRUN_TRY(response.most_events, query_number(request, "limit", 0, 1, kMostEvents));
  response.content_type = "text/event-stream";
  response.events = true;
  response.body = "retry: 2000\n\nevent: epoch\ndata: " + epoch_json() +
                  "\n\nevent: log\ndata: " + log_json() + "\n\n";
  return response;
}

Result<ApiResponse> Api::log(const ApiRequest&) { return ApiResponse{.body = log_json() + "\n"}; }

std::string Api::log_json() const { return flowrun::log_json(state_); }

std::string Api::epoch_json() { return flowrun::epoch_json(engine_, state_, tables_json()); }

Result<ApiResponse> Api::metrics(const ApiRequest&) {
  ApiResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = metrics_text({engine_, state_, options_.version,
                                options_.connections ? options_.connections() : 0,
                                options_.streams ? options_.streams() : 0});
  return response;
}

Result<ApiResponse> Api::healthz(const ApiRequest&) {
  if (state_.phase() != LiveState::Phase::failed)
    return ApiResponse{.body = "{\"status\":\"ok\"}\n"};
  return error_response(503, state_.failure());
}

Result<ApiResponse> Api::readyz(const ApiRequest&) {
  if (state_.phase() != LiveState::Phase::running)
    return error_response(503, std::string("the pipeline is ") + phase_name(state_.phase()));
  std::string absent;
  const auto note = [&absent](const auto& view) {
    if (view.available) return;
    absent += (absent.empty() ? "" : ", ") + view.node + " since " + utc_text(view.absent_since);
  };
  std::ranges::for_each(engine_.sources(), note);
  std::ranges::for_each(engine_.sinks(), note);
  if (!absent.empty()) return error_response(503, "the peer does not answer of: " + absent);
  return ApiResponse{.body = "{\"status\":\"ready\"}\n"};
}

Result<ApiResponse> Api::stop(const ApiRequest&) {
  engine_.stop();
  ApiResponse response;
  response.status = 202;
  response.body = "{\"status\":\"ending after this epoch\"}\n";
  return response;
}

// The file says what is so for every run.
Result<ApiResponse> Api::description(const ApiRequest& request) {
  FLOWRUN_TRY(ApiResponse response, page(request));
  if (!options_.client_certificates) return response;
  rapidjson::Document description;
  description.Parse(response.body.data(), response.body.size());
  FLOWRUN_CHECK(description.IsObject(), "the description that is built in is JSON");
  auto& memory = description.GetAllocator();
  constexpr const char* kName = "certificate";
  rapidjson::Value scheme(rapidjson::kObjectType);
  scheme.AddMember("type", "mutualTLS", memory);
  scheme.AddMember("description",
                   "A certificate that the authority of `client_ca` has signed; no token is needed",
                   memory);
  description["components"]["securitySchemes"].AddMember(rapidjson::StringRef(kName), scheme,
                                                         memory);
  rapidjson::Value requirement(rapidjson::kObjectType);
  requirement.AddMember(rapidjson::StringRef(kName), rapidjson::Value(rapidjson::kArrayType),
                        memory);
  description["security"].PushBack(requirement, memory);
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  description.Accept(writer);
  response.body.assign(buffer.GetString(), buffer.GetSize());
  return response;
}

Result<ApiResponse> Api::page(const ApiRequest& request) {
  constexpr std::string_view kFolder = "/dashboard";
  const std::string_view path = request.path;
  const EmbeddedFile* file =
      find_embedded_file(path == "/"                 ? "/index.html"
                         : path.starts_with(kFolder) ? path.substr(kFolder.size())
                                                     : path);
  if (!file) return error_response(404, "there is nothing at " + request.path);
  ApiResponse response;
  response.content_type = file->content_type;
  response.body = std::string(file->bytes);
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; script-src 'self'; style-src 'self'; "
                                "connect-src 'self'; img-src 'self'; "
                                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  return response;
}

}  // namespace flowrun
