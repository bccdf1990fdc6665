#include "runtime/operator/contract.h"

#include <catch2/catch.hpp>
#include <numeric>

#include "runtime/state/snapshot.h"
#include "tests/support/json_rows.h"

using namespace flowrun;

namespace {

// Passes rows on, with one fault of choice.
class Faulty final : public Transform {
 public:
  enum class Fault : uint8_t {
    none,
    counts_chunks,
    wrong_schema,
    reads_more,
    loses_offsets,
    stumbles,
    miscounts
  };
  explicit Faulty(Fault fault) : fault_(fault) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override {
    schema_ = inputs[0].schema;
    return PortSchemas{{"", schema_}};
  }
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t) const override {
    ColumnSet read = wanted;
    if (fault_ == Fault::reads_more) read[1] = false;
    return read;
  }
  Status apply(const RecordBatch& batch, const Epoch&, Scratch*, Emitter& out) const override {
    switch (fault_) {
      case Fault::counts_chunks:
        FLOWRUN_RETURN_IF_ERROR(
            out.emit(0, batch.slice(0, std::min<int64_t>(batch.num_rows(), 1))));
        break;
      case Fault::wrong_schema:
        return out.emit(0, batch.with_schema(parse_schema("a bigint, c string").value()));
      case Fault::loses_offsets: {
        std::vector<int32_t> indices(static_cast<size_t>(batch.num_rows()));
        std::iota(indices.begin(), indices.end(), 0);
        const ColumnPtr& first = batch.column(0);
        if (first && first->parts().offset > 0) indices.assign(indices.size(), 0);
        return out.emit(0, batch.take(indices));
      }
      case Fault::stumbles:
        if (batch.num_rows() == 0) return Error::data("no rows");
        break;
      case Fault::miscounts:
        out.count(Metric::rejected, 1);
        break;
      default:
        break;
    }
    return out.emit(0, batch);
  }
  [[nodiscard]] std::string describe() const override { return "faulty"; }

 private:
  Fault fault_;
  SchemaPtr schema_;
};

// Remembers how many rows came, in all, and puts that out in complete mode.
class Counter final : public Stateful {
 public:
  enum class Fault : uint8_t { none, forgets, ignores_workers };
  explicit Counter(Fault fault) : fault_(fault) {}

  struct Rows final : Local {
    int64_t rows = 0;
    [[nodiscard]] int64_t memory_bytes() const override { return 0; }
  };

  Result<PortSchemas> bind(std::span<const InputSchema>) override {
    return PortSchemas{{"", parse_schema("rows bigint").value()}};
  }
  Status plan(const StatefulPlan&, size_t) override { return ok_status(); }
  [[nodiscard]] size_t num_partitions() const override { return 1; }
  [[nodiscard]] std::unique_ptr<Local> make_local() const override {
    return std::make_unique<Rows>();
  }
  Status absorb(Local& local, const Input& input, const Epoch&, Emitter&) const override {
    static_cast<Rows&>(local).rows += input.batch.num_rows();
    return ok_status();
  }
  Status merge(size_t, std::span<Local* const> locals, const Epoch&) override {
    for (Local* local : locals) {
      rows_ += static_cast<Rows*>(local)->rows;
      if (fault_ == Fault::ignores_workers) break;
    }
    return ok_status();
  }
  Status evict(size_t, const Epoch&) override { return ok_status(); }
  Status emit(size_t, const Ask&, const Epoch&, Emitter& out) override {
    return out.emit(0, rows_from_json("rows bigint", "{\"rows\": " + std::to_string(rows_) + "}"));
  }
  void clear(Local& local) const override { static_cast<Rows&>(local).rows = 0; }
  Status snapshot(SnapshotWriter& writer) override {
    return fault_ == Fault::forgets ? ok_status() : writer.write_number("rows", rows_);
  }
  Status restore(SnapshotReader& reader) override {
    FLOWRUN_TRY(const std::optional<int64_t> rows, reader.read_number("rows"));
    rows_ = rows.value_or(0);
    return ok_status();
  }
  [[nodiscard]] int64_t state_rows() const override { return 1; }
  [[nodiscard]] int64_t state_bytes() const override { return 8; }
  [[nodiscard]] std::string describe() const override { return "counter"; }
  [[nodiscard]] Bound state_bound() const override { return {"one number"}; }

 private:
  Fault fault_;
  int64_t rows_ = 0;
};

Trial trial_with_rows() {
  std::string lines;
  for (int i = 0; i < 20; ++i) lines += "{\"a\": " + std::to_string(i) + ", \"b\": \"text\"}\n";
  const RecordBatch rows = rows_from_json("a bigint, b string", lines);
  Trial trial;
  trial.inputs = {{rows.schema(), "rows"}};
  trial.epochs = {{.inputs = {rows}}, {.inputs = {rows.slice(5, 7)}}};
  return trial;
}

std::string complaints_of(Faulty::Fault fault) {
  Trial trial = trial_with_rows();
  trial.make_transform = [fault] { return std::make_unique<Faulty>(fault); };
  const auto complaints = check_contract(trial, 3);
  return complaints.empty() ? "" : complaints[0];
}

std::string complaints_of(Counter::Fault fault) {
  Trial trial = trial_with_rows();
  trial.make_stateful = [fault] { return std::make_unique<Counter>(fault); };
  trial.plan = {{OutputMode::complete}, false};
  const auto complaints = check_contract(trial, 3);
  return complaints.empty() ? "" : complaints[0];
}

}  // namespace

TEST_CASE("an operator without a fault gets no complaint") {
  CHECK(complaints_of(Faulty::Fault::none).empty());
  CHECK(complaints_of(Counter::Fault::none).empty());
}

TEST_CASE("a transform that breaks its contract is found out") {
  using enum Faulty::Fault;
  CHECK_THAT(complaints_of(counts_chunks), Catch::Contains("rows become"));
  CHECK_THAT(complaints_of(wrong_schema), Catch::Contains("port 0 declares a BIGINT,b STRING"));
  CHECK_THAT(complaints_of(reads_more), Catch::Contains("column `b` of port 0 is absent"));
  CHECK_THAT(complaints_of(loses_offsets), Catch::Contains("rows at an offset"));
  CHECK_THAT(complaints_of(stumbles), Catch::Contains("it fails: no rows"));
  CHECK_THAT(complaints_of(miscounts), Catch::Contains("counts differently"));
}

TEST_CASE("a stateful operator that breaks its contract is found out") {
  CHECK_THAT(complaints_of(Counter::Fault::forgets), Catch::Contains("a restart behind epoch 0"));
  CHECK_THAT(complaints_of(Counter::Fault::ignores_workers), Catch::Contains("workers"));
}

TEST_CASE("a trial gives each epoch's rows to the operator, however they are cut") {
  Trial trial = trial_with_rows();
  trial.make_transform = [] { return std::make_unique<Faulty>(Faulty::Fault::none); };
  const auto result = run_trial(trial, {.chunks = 9, .workers = 3, .displaced = true, .seed = 5});
  REQUIRE(result);
  CHECK(sorted_lines(*result).size() == 27);
  CHECK(sorted_lines(*result)[0] == "epoch 0  port 0: 0 \"text\"");
  CHECK(sorted_lines(*result, 1)[20] == "epoch 1  port 0: \"text\"");
}
