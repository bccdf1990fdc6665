#pragma once
// Generators: the calls at the top of a select item that give several rows or columns.

#include "runtime/expr/analyzer.h"

namespace flowrun {

// Is the item, perhaps under an alias, a call of explode, posexplode, inline or stack (or an _outer
// of it)?
bool is_generator(const Ast& ast);

// REQUIRES: is_generator(ast).
Result<Generator> bind_generator(Analyzer& analyzer, const Ast& ast);

}  // namespace flowrun
