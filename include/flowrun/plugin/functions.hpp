// Functions as the ABI's tables of functions. Part of flowrun/plugin.hpp: include that.
#ifndef FLOWRUN_PLUGIN_FUNCTIONS_HPP
#define FLOWRUN_PLUGIN_FUNCTIONS_HPP

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tables.hpp"

// Nothing of this is seen from outside: two plugins may have classes of one name.
#pragma GCC visibility push(hidden)

namespace flowrun {
namespace plugin {

namespace detail {

// How a function's parameter is given: by T where null gives null, by std::optional<T> to be
// told.
template <class T>
struct Parameter {
  using Value = T;
  static constexpr bool takes_null = false;
  static T get(const Values<T>& values, int64_t row) { return values[row]; }
};
template <class T>
struct Parameter<std::optional<T>> {
  using Value = T;
  static constexpr bool takes_null = true;
  static std::optional<T> get(const Values<T>& values, int64_t row) {
    return values.is_null(row) ? std::nullopt : std::optional<T>(values[row]);
  }
};

template <class T>
using Plain = std::remove_cv_t<std::remove_reference_t<T>>;

template <class R>
struct Returned {
  using Value = R;
};
template <class R>
struct Returned<std::optional<R>> {
  using Value = R;
};
// std::string is built from std::string_view.
template <class R>
using BuiltFrom = std::conditional_t<std::is_same_v<R, std::string>, std::string_view, R>;

template <class R, class... A>
class ScalarCode {
 public:
  using Result = typename Returned<R>::Value;
  explicit ScalarCode(std::function<R(A...)> code) : code_(std::move(code)) {}

  static flowrun_code call(void* context, const ArrowArray* arguments, ArrowArray* result,
                           flowrun_error* error) noexcept {
    return guarded(error, [&] {
      static_cast<const ScalarCode*>(context)->run(*arguments, result,
                                                   std::index_sequence_for<A...>());
    });
  }

 private:
  template <size_t... I>
  void run(const ArrowArray& arguments, ArrowArray* result, std::index_sequence<I...>) const {
    const std::tuple<Values<typename Parameter<Plain<A>>::Value>...> columns{
        Values<typename Parameter<Plain<A>>::Value>(
            *arguments.children[I], TypeOf<typename Parameter<Plain<A>>::Value>::format)...};
    Builder<BuiltFrom<Result>> out(arguments.length);
    for (int64_t row = 0; row < arguments.length; ++row) {
      const bool null =
          (false || ... || (!Parameter<Plain<A>>::takes_null && std::get<I>(columns).is_null(row)));
      if (null) {
        out.append_null();
        continue;
      }
      append(out, code_(Parameter<Plain<A>>::get(std::get<I>(columns), row)...));
    }
    std::move(out.finish()).export_to(result);
  }
  static void append(Builder<BuiltFrom<Result>>& out, const Result& value) { out.append(value); }
  static void append(Builder<BuiltFrom<Result>>& out, const std::optional<Result>& value) {
    value ? out.append(*value) : out.append_null();
  }

  std::function<R(A...)> code_;
};

template <class Function>
struct FunctionType : FunctionType<decltype(&Function::operator())> {};
template <class R, class... A>
struct FunctionType<R (*)(A...)> {
  using Code = ScalarCode<R, A...>;
  static std::vector<const char*> arguments() {
    return {TypeOf<typename Parameter<Plain<A>>::Value>::name...};
  }
  static const char* result() { return TypeOf<typename Returned<R>::Value>::name; }
};
template <class C, class R, class... A>
struct FunctionType<R (C::*)(A...) const> : FunctionType<R (*)(A...)> {};

}  // namespace detail

// A function of rows: function("hypotenuse", "hypotenuse(a, b): ...", [](double a, double b) {
// ... }). A null argument gives null without a call, unless it is taken as std::optional;
// std::optional as the result is null when empty. Called from any number of threads at a time.
template <class Code>
Entry function(std::string name, std::string doc, Code code, uint32_t flags = 0) {
  using Type = detail::FunctionType<Code>;
  struct Table : flowrun_scalar {
    std::vector<const char*> arguments = Type::arguments();
    flowrun_signature signature{};
    const flowrun_signature* list = &signature;
  };
  auto table = std::make_shared<Table>();
  table->signature = {sizeof(flowrun_signature), table->arguments.data(), table->arguments.size(),
                      Type::result(), Type::Code::call};
  table->size = sizeof(flowrun_scalar);
  table->flags = flags;
  table->reserved = 0;
  table->signatures = &table->list;
  table->num_signatures = 1;
  return detail::entry<Table>(FLOWRUN_KIND_SCALAR, Spec(std::move(name), std::move(doc)), table,
                              std::make_shared<typename Type::Code>(std::move(code)));
}

namespace detail {

template <class State, class R, class... A>
struct AggregateTable {
  using States = std::vector<State>;
  static States& states(void* raw) { return *static_cast<States*>(raw); }
  static const States& states(const void* raw) { return *static_cast<const States*>(raw); }

  template <size_t... I>
  static void update(States& own, const uint32_t* groups, const int32_t* rows, uint64_t num_rows,
                     const ArrowArray& arguments, std::index_sequence<I...>) {
    const std::tuple<Values<A>...> columns{Values<A>(*arguments.children[I], TypeOf<A>::format)...};
    for (uint64_t i = 0; i < num_rows; ++i) {
      own[groups[i]].add(Parameter<std::optional<A>>::get(std::get<I>(columns), rows[i])...);
    }
  }
  static void result_of(const States& own, const uint32_t* groups, uint64_t count,
                        ArrowArray* result) {
    Builder<BuiltFrom<R>> out(static_cast<int64_t>(count));
    for (uint64_t i = 0; i < count; ++i) {
      const std::optional<R> value = own[groups[i]].result();
      value ? out.append(*value) : out.append_null();
    }
    std::move(out.finish()).export_to(result);
  }
  static void fill(flowrun_aggregate& table);
};

template <class State, class R, class... A>
void AggregateTable<State, R, A...>::fill(flowrun_aggregate& table) {
  table.make_states = [](void*, void** out, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { *out = new States; });
  };
  table.destroy_states = [](void* raw) noexcept { delete static_cast<States*>(raw); };
  table.resize = [](void* raw, uint64_t groups, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { states(raw).resize(groups); });
  };
  table.update = [](void* raw, const uint32_t* groups, const int32_t* rows, uint64_t num_rows,
                    const ArrowArray* arguments, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      update(states(raw), groups, rows, num_rows, *arguments, std::index_sequence_for<A...>());
    });
  };
  table.merge = [](void* raw, const uint32_t* groups, const void* from, const uint32_t* from_groups,
                   uint64_t count, flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      for (uint64_t i = 0; i < count; ++i)
        states(raw)[groups[i]].merge(states(from)[from_groups[i]]);
    });
  };
  table.result_of = [](const void* raw, const uint32_t* groups, uint64_t count, ArrowArray* result,
                       flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] { result_of(states(raw), groups, count, result); });
  };
  table.keep = [](void* raw, const uint32_t* groups, uint64_t count,
                  flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      States kept;
      for (uint64_t i = 0; i < count; ++i) kept.push_back(std::move(states(raw)[groups[i]]));
      states(raw).swap(kept);
    });
  };
  table.memory_bytes = [](const void* raw) noexcept {
    size_t bytes = 0;
    for (const State& state : states(raw)) bytes += sizeof(State) + state.bytes();
    return static_cast<int64_t>(bytes);
  };
  table.save = [](const void* raw, const uint32_t* groups, uint64_t count, ArrowArray* rows,
                  flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      Builder<std::string_view> out(static_cast<int64_t>(count));
      for (uint64_t i = 0; i < count; ++i) out.append(states(raw)[groups[i]].save());
      std::vector<Column> columns{out.finish()};
      Batch(std::move(columns)).export_to(rows);
    });
  };
  table.load = [](void* raw, const ArrowArray* rows,
                  flowrun_error* error) noexcept -> flowrun_code {
    return guarded(error, [&] {
      const Values<std::string_view> saved(*rows->children[0], "vz");
      for (int64_t i = 0; i < saved.size(); ++i) {
        State state;
        if (!saved.is_null(i)) state.load(saved[i]);
        states(raw).push_back(std::move(state));
      }
    });
  };
}

}  // namespace detail

// A function of groups; see the class State above. aggregate<Digest, double, double, double>() is
// double f(double, double).
template <class State, class R, class... A>
Entry aggregate() {
  struct Table : flowrun_aggregate {
    std::vector<const char*> types{TypeOf<A>::name...};
  };
  auto table = std::make_shared<Table>();
  static_cast<flowrun_aggregate&>(*table) = {};
  table->size = sizeof(flowrun_aggregate);
  table->num_arguments = sizeof...(A);
  static_cast<flowrun_aggregate&>(*table).arguments = table->types.data();
  table->result = TypeOf<R>::name;
  table->state = "state BINARY";
  detail::AggregateTable<State, R, A...>::fill(*table);
  return detail::entry<Table>(FLOWRUN_KIND_AGGREGATE, State::spec(), table);
}

}  // namespace plugin
}  // namespace flowrun

#pragma GCC visibility pop

#endif  // FLOWRUN_PLUGIN_FUNCTIONS_HPP
