// What a plugin hands over is found out before anybody follows its pointers: the nested shapes that
// tests/plugins does not reach.
#include "runtime/plugin/arrow_check.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace flowrun {
namespace {

void keep_schema(ArrowSchema*) {}
void keep_array(ArrowArray*) {}

// A schema and an array of it, each part of which a test may spoil. Nothing of it is owned.
struct Part {
  explicit Part(const char* format, const char* name = "c") {
    schema = {format,  name,        nullptr, ARROW_FLAG_NULLABLE, 0, nullptr,
              nullptr, keep_schema, nullptr};
    array = {2, 0, 0, 0, 0, nullptr, nullptr, nullptr, keep_array, nullptr};
  }
  void set_buffers(std::vector<const void*> given) {
    buffers = std::move(given);
    array.buffers = buffers.data();
    array.n_buffers = static_cast<int64_t>(buffers.size());
  }
  void set_child(Part& child) {
    schemas = {&child.schema};
    arrays = {&child.array};
    schema.children = schemas.data();
    array.children = arrays.data();
    schema.n_children = array.n_children = 1;
  }
  [[nodiscard]] std::string complaint() const {
    if (const Status checked = check_schema(schema); !checked) return checked.error().message;
    const Status checked = check_array(schema, array);
    return checked ? "" : checked.error().message;
  }

  ArrowSchema schema;
  ArrowArray array;
  std::vector<const void*> buffers;
  std::vector<ArrowSchema*> schemas;
  std::vector<ArrowArray*> arrays;
};

// Two rows of bigints.
struct Numbers : Part {
  Numbers() : Part("l", "item") { set_buffers({nullptr, values}); }
  int64_t values[2] = {1, 2};
};

// Two arrays of one number each.
struct NumberLists : Part {
  NumberLists() : Part("+l") {
    set_child(items);
    set_buffers({nullptr, offsets});
  }
  int32_t offsets[3] = {0, 1, 2};
  Numbers items;
};

TEST_CASE("whole nested arrays pass") {
  NumberLists lists;
  CHECK(lists.complaint().empty());
  Part structs("+s");
  Numbers field;
  structs.set_child(field);
  structs.set_buffers({nullptr});
  CHECK(structs.complaint().empty());
}

TEST_CASE("arrays whose elements are not there are found out") {
  NumberLists lists;
  SECTION("behind the end") { lists.offsets[2] = 3; }
  SECTION("before the begin") { lists.offsets[0] = -1; }
  SECTION("backwards") { lists.offsets[1] = 2, lists.offsets[2] = 1; }
  SECTION("in no buffer") { lists.set_buffers({nullptr, nullptr}); }
  SECTION("in a child that was released") { lists.items.array.release = nullptr; }
  SECTION("in a child too few") {
    lists.array.n_children = 0;
    lists.array.children = nullptr;
  }
  CHECK_FALSE(lists.complaint().empty());
}

TEST_CASE("a struct's fields must be as long as it is") {
  Part structs("+s");
  Numbers field;
  structs.set_child(field);
  structs.set_buffers({nullptr});
  SECTION("one is shorter") { field.array.length = 1; }
  SECTION("the struct begins behind it") { structs.array.offset = 1; }
  CHECK_FALSE(structs.complaint().empty());
}

TEST_CASE("texts with offsets stay within their bytes") {
  Part texts("u");
  int32_t offsets[3] = {0, 1, 2};
  texts.set_buffers({nullptr, offsets, "ab"});
  REQUIRE(texts.complaint().empty());
  SECTION("backwards") { offsets[1] = 5; }
  SECTION("before the begin") { offsets[0] = -4; }
  SECTION("without bytes") { texts.buffers[2] = nullptr; }
  CHECK_FALSE(texts.complaint().empty());
}

TEST_CASE("schemas that lead nowhere are found out") {
  NumberLists lists;
  SECTION("without an element") { lists.schema.children = nullptr; }
  SECTION("of a dictionary") { lists.schema.dictionary = &lists.items.schema; }
  SECTION("without end") { lists.schemas[0] = &lists.schema; }
  CHECK_FALSE(lists.complaint().empty());
}

}  // namespace
}  // namespace flowrun
