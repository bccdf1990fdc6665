#pragma once
// LambdaNode: the call of a function that takes lambdas. The body of each is evaluated once for all
// elements of all rows, as columns.

#include <functional>
#include <string>
#include <vector>

#include "runtime/expr/typed_node.h"

namespace flowrun {

// The code of a function: arguments are evaluated, bodies are left to it.
using LambdaCode = std::function<Result<Datum>(const Frame&, std::span<const Datum> arguments,
                                               std::span<const TypedPtr> bodies)>;

class LambdaNode final : public TypedNode {
 public:
  LambdaNode(Type result, std::vector<TypedPtr> arguments, std::vector<TypedPtr> bodies,
             LambdaCode code, std::string node_name)
      : num_arguments_(arguments.size()), code_(std::move(code)) {
    type = std::move(result);
    name = std::move(node_name);
    children = std::move(arguments);
    children.insert(children.end(), bodies.begin(), bodies.end());
    inherit();
    foldable = false;
  }

  [[nodiscard]] Result<Datum> evaluate(const Frame& frame) const override {
    std::vector<Datum> arguments;
    for (size_t i = 0; i < num_arguments_; ++i) {
      FLOWRUN_TRY(Datum argument, children[i]->evaluate(frame));
      arguments.push_back({argument.expand(frame.num_rows), false});
    }
    return code_(frame, arguments, std::span(children).subspan(num_arguments_));
  }
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr> parts) const override {
    const auto middle = parts.begin() + static_cast<std::ptrdiff_t>(num_arguments_);
    return std::make_shared<LambdaNode>(type, std::vector<TypedPtr>(parts.begin(), middle),
                                        std::vector<TypedPtr>(middle, parts.end()), code_, name);
  }
  [[nodiscard]] std::string identity() const override { return "lambda call " + name; }

 private:
  size_t num_arguments_;
  LambdaCode code_;
};

// The lambda in a column's name. Spark prints every parameter alike.
std::string lambda_name(const TypedNode& body, size_t parameters);

}  // namespace flowrun
