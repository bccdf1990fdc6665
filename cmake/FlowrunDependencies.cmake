# Every third-party library, found once; docs/dependencies.md says what each is for.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(tl-expected REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(simdjson REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
# Header-only, no CMake package in Debian: RapidJSON, fast_float, concurrentqueue, Boost.Asio.
find_path(RAPIDJSON_INCLUDE rapidjson/document.h REQUIRED)
find_path(FAST_FLOAT_INCLUDE fast_float/fast_float.h REQUIRED)
find_path(CONCURRENTQUEUE_INCLUDE concurrentqueue/moodycamel/concurrentqueue.h concurrentqueue/concurrentqueue.h REQUIRED)
find_path(BOOST_INCLUDE boost/asio.hpp REQUIRED)
# For connectors only: plugins/CMakeLists.txt.
pkg_check_modules(rdkafka IMPORTED_TARGET rdkafka>=1.9)
