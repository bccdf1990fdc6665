# How our own code is compiled: the language, warnings as errors, sanitizers, ccache.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# -O2: -O3 costs a third more compile time and gains nothing measurable here.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

find_program(FLOWRUN_CCACHE ccache)
if(FLOWRUN_CCACHE)
  # Without the sloppiness ccache caches nothing that uses a precompiled header. By the dependencies that the compiler
  # writes down it need not preprocess every file first, and by relative paths one clone serves another.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_DEPEND=1
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${FLOWRUN_CCACHE})
endif()
# As the driver takes them and ccache reads them. What CMake would write goes past both.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include <PCH_HEADER>)
endif()
find_program(FLOWRUN_MOLD mold)
if(FLOWRUN_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# What every target of ours links: flags that third-party code is spared.
add_library(flowrun_compile_options INTERFACE)
# -pthread everywhere, as some libraries ask for it and precompiled headers must not differ.
target_compile_options(flowrun_compile_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror $<$<COMPILE_LANGUAGE:C,CXX>:-pthread>)
# g++ 12 warns wrongly of inlined std::string at -O2 (GCC bugs 105329, 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(flowrun_compile_options INTERFACE -Wno-restrict -Wno-stringop-overflow)
elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # StringView's layout is Arrow's: a struct in an anonymous union, which every compiler takes. And -Wconversion
  # is to mean what it means to g++.
  target_compile_options(flowrun_compile_options INTERFACE -Wno-nested-anon-types -Wno-sign-conversion)
endif()
if(FLOWRUN_SANITIZE)
  # What the sanitizers add takes an optimizer six times as long to compile and runs twice as fast.
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
  target_compile_options(flowrun_compile_options INTERFACE
    -fsanitize=${FLOWRUN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(flowrun_compile_options INTERFACE -fsanitize=${FLOWRUN_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(flowrun_compile_options INTERFACE
      -fsanitize-ignorelist=${CMAKE_CURRENT_LIST_DIR}/sanitizer-ignore.txt)
  endif()
  if(FLOWRUN_SANITIZE MATCHES "thread")
    # The thread sanitizer knows no fences; Asio's stand beside locks, which it knows.
    target_compile_definitions(flowrun_compile_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
if(FLOWRUN_FUZZ)
  # Coverage for the fuzzer; its main function only in the fuzz targets.
  target_compile_options(flowrun_compile_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
