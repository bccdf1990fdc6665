#include "runtime/expr/functions/lambda_node.h"

namespace flowrun {

std::string lambda_name(const TypedNode& body, size_t parameters) {
  std::string text = "lambdafunction(" + body.name;
  for (size_t i = 0; i < parameters; ++i) text += ", namedlambdavariable()";
  return text + ")";
}

}  // namespace flowrun
