// The flowrun command.

#include "tools/flowrun/command_line.h"
#include "tools/flowrun/commands.h"

int main(int count, char** arguments) {
  return std::visit([](const auto& command) { return flowrun::execute(command); },
                    flowrun::parse_command_line(count, arguments));
}
