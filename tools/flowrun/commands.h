#pragma once
// One execute() per subcommand; each returns the process's exit code and has said on standard error
// what went wrong.

#include "tools/flowrun/command_line.h"

namespace flowrun {

inline int execute(const Answered& answered) { return answered.exit_code; }
int execute(const RunCommand& command);
int execute(const CheckCommand& command);
int execute(const ExplainCommand& command);
int execute(const ShowCommand& command);
int execute(const NewCommand& command);
int execute(const TestCommand& command);
int execute(const CompletionsCommand& command);
int execute(const EvalCommand& command);
int execute(const OperatorsCommand& command);
int execute(const SchemaCommand& command);
int execute(const PluginListCommand& command);
int execute(const PluginCheckCommand& command);
int execute(const PluginNewCommand& command);
int execute(const SimulateCommand& command);
int execute(const SqlCommand& command);
int execute(const StatusCommand& command);
int execute(const TopCommand& command);
int execute(const TapCommand& command);

}  // namespace flowrun
