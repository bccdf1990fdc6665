#pragma once
// FLOWRUN_CHECK(condition, "what must hold"): a broken invariant of our own aborts with its
// location. Never for anything a user, a file or a peer can cause: that is an Error.

namespace flowrun {

[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const char* message);

}  // namespace flowrun

#define FLOWRUN_CHECK(condition, message)                               \
  do {                                                                  \
    if (!(condition)) [[unlikely]]                                      \
      ::flowrun::check_failed(__FILE__, __LINE__, #condition, message); \
  } while (false)

#ifdef NDEBUG
#define FLOWRUN_DCHECK(condition, message) static_cast<void>(0)
#else
#define FLOWRUN_DCHECK(condition, message) FLOWRUN_CHECK(condition, message)
#endif
