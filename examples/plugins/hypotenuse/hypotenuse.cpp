// hypotenuse: two scalar functions from C++ lambdas.
#include <cmath>
#include <flowrun/plugin.hpp>
#include <string>

FLOWRUN_PLUGIN("hypotenuse", "1.0.0",
               function("hypotenuse", "hypotenuse(a, b): the longest side of a right triangle.",
                        [](double a, double b) { return std::hypot(a, b); }),
               function("initials",
                        "initials(text): the first letter of each word; null if there is none.",
                        [](std::string_view text) -> std::optional<std::string> {
                          std::string letters;
                          for (size_t i = 0; i < text.size(); ++i) {
                            if (text[i] != ' ' && (i == 0 || text[i - 1] == ' '))
                              letters += text[i];
                          }
                          return letters.empty() ? std::nullopt : std::optional(letters);
                        }))
