/* The plugin ABI of flowrun, version 1: operators and functions in a shared library.
 *
 * A plugin exports one function, FLOWRUN_PLUGIN_ENTRY, which gives back a description of all that
 * is in it. Everything else goes through the tables of functions in that description. C++ authors
 * have flowrun/plugin.hpp, which is made of this header alone; docs/plugins.md is for both.
 *
 *   static const flowrun_component* const components[] = {&clip};
 *   static const flowrun_plugin plugin = {
 *       sizeof plugin, FLOWRUN_PLUGIN_ABI_MAJOR, FLOWRUN_PLUGIN_ABI_MINOR, "clip", "1.0.0",
 *       components, 1};
 *   FLOWRUN_PLUGIN_EXPORT const flowrun_plugin* FLOWRUN_PLUGIN_ENTRY(const flowrun_host* host) {
 *     (void)host;
 *     return &plugin;
 *   }
 *
 * Rules
 *  1. Every struct begins with its size, set by whoever makes it to sizeof of the struct as he
 * knows it, and only ever grows at its end. What lies behind the size is absent: zero. Arrays of
 * structs are arrays of pointers. A library built with this header runs for as long as the entry's
 * name ends in _v1.
 *  2. A function that may fail returns a flowrun_code. When that is not FLOWRUN_OK it has written
 * why into the caller's flowrun_error and has handed over nothing. No C++ exception should cross;
 * one that does becomes an error.
 *  3. Data crosses as Arrow's C Data Interface: a batch is an ArrowArray of a struct, one child for
 *     each column, without nulls of its own. In batches given to a plugin the struct's offset is 0
 * and every child is as long as the struct; the children themselves may have offsets. A column that
 *     nobody computed because nobody reads it crosses as nulls.
 *  4. An ArrowArray that is passed as `struct ArrowArray*` may be taken: moved out as Arrow has it,
 * the release of what it was moved from set to null. What is left there when the function returns
 * is released by the caller; emit and write of the host's take what they are given always. One
 * passed as `const struct ArrowArray*` stays the caller's. An ArrowSchema given as `const struct
 * ArrowSchema*` stays the caller's and lives for the call; one to be filled comes zeroed, and what
 * stands in it is the caller's when the function returns FLOWRUN_OK. Handing back a child array
 * that came in costs nothing: it is recognised, not copied.
 *  5. Types that cross, with Arrow's formats: boolean b, tinyint c, smallint s, int i, bigint l,
 *     float f, double g, decimal(p,s) d:p,s, string vu, binary vz, date tdD, timestamp tsu:UTC,
 *     year-month interval tiM, day-time interval tDu, interval tin, array +l, map +m, struct +s.
 *     Strings are views inside (vu, vz: 16 bytes each, long texts in shared buffers) and cross so
 * without a copy. A component that sets FLOWRUN_TEXT_WITH_OFFSETS is given them as u and z, copied,
 * at the price of that copy. What a plugin hands back may be in any format that its own schema
 * says: vu, u and U alike, other units and widths too; those are converted.
 *  6. What comes back is checked (lengths, buffers, offsets, types, counts of nulls) and turned
 * into an error that names the plugin and the node; pointers to memory that is not there cannot be.
 *  7. Texts are UTF-8. A flowrun_text is not terminated. One that a plugin gives back must live
 * until the next call to the same object.
 *  8. A library is loaded once and never unloaded. Several objects of one component, in several
 *     engines, live in one process at a time: keep no global state.
 */
#ifndef FLOWRUN_PLUGIN_H
#define FLOWRUN_PLUGIN_H

#include <stdint.h>

#define FLOWRUN_PLUGIN_ABI_MAJOR 1
#define FLOWRUN_PLUGIN_ABI_MINOR 1
#define FLOWRUN_PLUGIN_ENTRY flowrun_plugin_v1

#ifdef __cplusplus
#define FLOWRUN_PLUGIN_EXPORT extern "C" __attribute__((visibility("default")))
extern "C" {
#else
#define FLOWRUN_PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

/* Arrow's C Data Interface; https://arrow.apache.org/docs/format/CDataInterface.html */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

/* ---- Errors -----------------------------------------------------------------------------------
 */

typedef int32_t flowrun_code;
#define FLOWRUN_OK 0
#define FLOWRUN_INVALID 1     /* the user's options or input schema are wrong: nothing is started */
#define FLOWRUN_DATA 2        /* the data cannot be processed as asked: the run fails */
#define FLOWRUN_UNAVAILABLE 3 /* a peer is absent: try again later */
#define FLOWRUN_IO 4          /* the machine refused: the run fails */
#define FLOWRUN_CANCELLED 5   /* cancel was called */
#define FLOWRUN_EXHAUSTED 6   /* memory is spent: the run fails */

/* Given by the caller, filled by the callee: two buffers with room for `capacity` bytes, the final
 * zero included. Write what is wrong and, after a dash, what would be right. */
typedef struct flowrun_error {
  uint64_t size;
  char* text;
  uint64_t capacity;
  char* option; /* the name of the option that is wrong, if one is: the message is shown at its
                   place */
  uint64_t option_capacity;
} flowrun_error;

typedef struct flowrun_text {
  const char* data;
  uint64_t size;
} flowrun_text;

/* ---- What a component is, and its options ------------------------------------------------------
 */

/* The shape of an option. A value that does not fit it never reaches the plugin. */
#define FLOWRUN_OPTION_TEXT 0
#define FLOWRUN_OPTION_WORD 1 /* one of `words` */
#define FLOWRUN_OPTION_INTEGER 2
#define FLOWRUN_OPTION_NUMBER 3
#define FLOWRUN_OPTION_BOOLEAN 4
#define FLOWRUN_OPTION_DURATION 5  /* "10 seconds"; in microseconds */
#define FLOWRUN_OPTION_BYTES 6     /* "10 MiB"; a count */
#define FLOWRUN_OPTION_PATH 7      /* resolved against the folder of the pipeline's file */
#define FLOWRUN_OPTION_COLUMN 8    /* a column's name */
#define FLOWRUN_OPTION_DATA_TYPE 9 /* value: a schema */
#define FLOWRUN_OPTION_SCHEMA 10   /* value: a schema of struct */
#define FLOWRUN_OPTION_LIST 11     /* of `item`; one alone is taken as a list of one */
#define FLOWRUN_OPTION_MAP 12      /* names to `item`s, in the order written */
#define FLOWRUN_OPTION_ONE_OF 13   /* the first of `alternatives` that fits; value: of that kind */

#define FLOWRUN_OPTION_REQUIRED 1u
#define FLOWRUN_OPTION_SECRET 2u    /* never shown */
#define FLOWRUN_OPTION_HAS_LEAST 4u /* `least` counts: integer, duration, bytes */
#define FLOWRUN_OPTION_HAS_MOST 8u

typedef struct flowrun_option_spec {
  uint64_t size;
  const char* name;
  int32_t kind;
  uint32_t flags;
  const char* doc;
  const char* default_text; /* as a pipeline's file would have it; null: none */
  const char* const* words; /* word */
  uint64_t num_words;
  const struct flowrun_option_spec* item;                /* list, map */
  const struct flowrun_option_spec* const* alternatives; /* one_of */
  uint64_t num_alternatives;
  int64_t least;
  int64_t most;
  const char* when_option; /* the option makes sense only where this one ... */
  const char* when_value;  /* ... has this value; both or none */
} flowrun_option_spec;

/* A use of the component, for its reference page and for `flowrun plugin check`. */
typedef struct flowrun_example {
  uint64_t size;
  const char* title;
  const char* yaml; /* nodes, as under `nodes:` */
  const char*
      input; /* "key STRING, value DOUBLE": columns with which it can be tried; null: none */
  const char* const* records; /* of a format: texts that it can read */
  uint64_t num_records;
} flowrun_example;

typedef struct flowrun_spec {
  uint64_t size;
  const char*
      name; /* the key in a pipeline; of a source or sink its word; of a function its name */
  const char* summary; /* one line */
  const char* doc;     /* Markdown; may be null */
  const flowrun_option_spec*
      primary; /* the value of the key; null: any text. Sources, sinks: unused */
  const flowrun_option_spec* const* options;
  uint64_t num_options;
  const char* const* ports; /* output ports beside the main one; transforms, stateful */
  uint64_t num_ports;
  const flowrun_example* const* examples;
  uint64_t num_examples;
} flowrun_spec;

#define FLOWRUN_KIND_TRANSFORM 1 /* table: flowrun_transform */
#define FLOWRUN_KIND_STATEFUL 2  /* flowrun_stateful */
#define FLOWRUN_KIND_SOURCE 3    /* flowrun_source */
#define FLOWRUN_KIND_SINK 4      /* flowrun_sink */
#define FLOWRUN_KIND_SCALAR 5    /* flowrun_scalar */
#define FLOWRUN_KIND_AGGREGATE 6 /* flowrun_aggregate */
#define FLOWRUN_KIND_FORMAT 7    /* flowrun_format */

#define FLOWRUN_TEXT_WITH_OFFSETS 1u /* strings cross as u and z instead of vu and vz */

typedef struct flowrun_component {
  uint64_t size;
  int32_t kind;
  uint32_t flags;
  const flowrun_spec* spec;
  const void* table; /* by kind */
  void* context;     /* given to `make`, and to functions */
} flowrun_component;

/* Lives as long as the process. */
typedef struct flowrun_plugin {
  uint64_t size;
  int32_t abi_major; /* FLOWRUN_PLUGIN_ABI_MAJOR and _MINOR of the header it was built with */
  int32_t abi_minor;
  const char* name; /* a word: what errors call it */
  const char* version;
  const flowrun_component* const* components;
  uint64_t num_components;
} flowrun_plugin;

typedef struct flowrun_host {
  uint64_t size;
  int32_t abi_major;
  int32_t abi_minor;
  const char* version; /* flowrun's */
} flowrun_host;

/* The entry: called once for each time that the library is loaded. Null means failure. */
typedef const flowrun_plugin* (*flowrun_plugin_entry)(const flowrun_host* host);

/* ---- What an operator is made from --------------------------------------------------------------
 */

typedef struct flowrun_value {
  uint64_t size;
  int32_t kind; /* FLOWRUN_OPTION_*; of a one_of: the alternative that was taken */
  int32_t boolean;
  int64_t integer;                          /* integer, duration, bytes */
  double number;                            /* number; integer too */
  flowrun_text text;                        /* of every scalar */
  const struct ArrowSchema* schema;         /* data_type, schema */
  const struct flowrun_value* const* items; /* list; map: the values */
  const flowrun_text* keys;                 /* map: as many */
  uint64_t num_items;
} flowrun_value;

/* Lives for the call of make. An option that was not written and has no default is not in it. The
 * primary value stands under the operator's name. */
typedef struct flowrun_options {
  uint64_t size;
  const flowrun_text* names;
  const flowrun_value* const* values;
  uint64_t count;
} flowrun_options;

typedef struct flowrun_make {
  uint64_t size;
  const flowrun_options* options;
  flowrun_text node; /* the node's name */
  void* context;     /* the component's */
} flowrun_make;

/* ---- What an operator sees of an epoch, and where it puts rows ---------------------------------
 */

#define FLOWRUN_END_OF_TIME INT64_MAX /* the watermark when the input has ended */

/* Times in microseconds since 1970, UTC. */
typedef struct flowrun_epoch {
  uint64_t size;
  int64_t id;
  int64_t watermark;      /* give out and forget by this */
  int64_t late_watermark; /* rows that are not after this are late */
  int64_t time;           /* current_timestamp of the epoch */
} flowrun_epoch;

#define FLOWRUN_METRIC_REJECTED 0
#define FLOWRUN_METRIC_LATE 1

/* Belongs to the caller; used only during the call. */
typedef struct flowrun_emitter {
  uint64_t size;
  void* context;
  /* Port 0 is the main one. `schema` says what the batch is; null: what bind said. Return its
   * error. */
  flowrun_code (*emit)(void* context, uint64_t port, const struct ArrowSchema* schema,
                       struct ArrowArray* batch, flowrun_error* error);
  int32_t (*wanted)(void* context, uint64_t port); /* 0: nobody reads the port */
  void (*count)(void* context, int32_t metric, int64_t rows);
  void (*warn)(void* context, flowrun_text reason); /* a record was refused; for the log */
} flowrun_emitter;

/* ---- Transform: rows in, rows out, nothing kept -------------------------------------------------
 */

/* make, bind, open once, on one thread; then apply from any number of threads at a time; destroy.
 */
typedef struct flowrun_transform {
  uint64_t size;
  flowrun_code (*make)(const flowrun_make* make, void** self, flowrun_error* error);
  void (*destroy)(void* self);
  /* Fills a schema (of struct) for the main port and for each of the spec's ports, in order. */
  flowrun_code (*bind)(void* self, const struct ArrowSchema* input, struct ArrowSchema* outputs,
                       flowrun_error* error);
  flowrun_code (*open)(void* self, flowrun_error* error); /* may be null */
  /* What one worker keeps between calls; may be null, both or none. */
  void* (*make_scratch)(const void* self);
  void (*destroy_scratch)(void* scratch);
  flowrun_code (*apply)(const void* self, void* scratch, const flowrun_epoch* epoch,
                        struct ArrowArray* batch, const flowrun_emitter* out, flowrun_error* error);
  /* Once, between bind and open; may be null. wanted[i] is 0 when nobody reads column i of the main
   * port: it may be given as nulls. `read` comes as ones: set read[i] to 0 when column i of the
   * input is not needed for what is wanted; it comes as nulls then. */
  void (*narrow)(void* self, const int32_t* wanted, uint64_t num_wanted, int32_t* read,
                 uint64_t num_read);
} flowrun_transform;

/* ---- Stateful: remembers across batches and epochs ----------------------------------------------
 */

/* Given during snapshot and restore only. */
typedef struct flowrun_snapshot_writer {
  uint64_t size;
  void* context;
  /* Adds rows to a section; all of one section have one schema. */
  flowrun_code (*write)(void* context, const char* section, const struct ArrowSchema* schema,
                        struct ArrowArray* rows, flowrun_error* error);
  flowrun_code (*write_number)(void* context, const char* name, int64_t number,
                               flowrun_error* error);
} flowrun_snapshot_writer;

typedef struct flowrun_snapshot_reader {
  uint64_t size;
  void* context;
  /* Batch `index` of a section; FLOWRUN_OK with schema->release null behind the last. */
  flowrun_code (*read)(void* context, const char* section, uint64_t index,
                       struct ArrowSchema* schema, struct ArrowArray* rows, flowrun_error* error);
  /* *found is 0 if it was not written. */
  flowrun_code (*read_number)(void* context, const char* name, int64_t* number, int32_t* found,
                              flowrun_error* error);
} flowrun_snapshot_reader;

/* Where a batch stands in the input. */
typedef struct flowrun_input {
  uint64_t size;
  int64_t
      place; /* grows with the order of arrival over the whole run; no two batches have the same */
} flowrun_input;

/* make and bind once. Then for each epoch: absorb from every worker at a time, each with a local of
 * its own; close once, when all rows of the epoch were absorbed, with every local. There are two
 * sets of locals: absorb of the next epoch may run during close, so it must not touch what close
 * changes. What close emits is new rows (append mode); with update it is the same, and complete is
 * refused. Rows reach the locals in any order: put them in order of their place where it matters.
 * With a key (see keys) there is one such object for each partition, given the rows of its keys
 * only, each with locals of its own; close of several objects may run at a time. */
typedef struct flowrun_stateful {
  uint64_t size;
  flowrun_code (*make)(const flowrun_make* make, void** self, flowrun_error* error);
  void (*destroy)(void* self);
  flowrun_code (*bind)(void* self, const struct ArrowSchema* input, struct ArrowSchema* outputs,
                       flowrun_error* error);
  void* (*make_local)(const void* self);
  void (*destroy_local)(void* local);
  int64_t (*local_bytes)(const void* local); /* may be null */
  flowrun_code (*absorb)(const void* self, void* local, const flowrun_input* input,
                         const flowrun_epoch* epoch, struct ArrowArray* batch,
                         const flowrun_emitter* out, flowrun_error* error);
  /* Takes what the locals hold and leaves them empty. */
  flowrun_code (*close)(void* self, void* const* locals, uint64_t num_locals,
                        const flowrun_epoch* epoch, const flowrun_emitter* out,
                        flowrun_error* error);
  /* Between epochs. restore: of a new object, after bind. */
  flowrun_code (*snapshot)(void* self, const flowrun_snapshot_writer* writer, flowrun_error* error);
  flowrun_code (*restore)(void* self, const flowrun_snapshot_reader* reader, flowrun_error* error);
  int64_t (*state_rows)(const void* self);  /* may be null */
  int64_t (*state_bytes)(const void* self); /* may be null */
  const char* bound; /* what bounds the state: "one row per key"; null: nothing is known */
  int32_t bounded;   /* 0: it grows with the number of keys or so; the user is told */
  /* Once, after bind; may be null. Writes the numbers of the input's columns that are the key to
   * `columns`, which has room for all of them, and how many to *count, which comes as 0 and then
   * means that there is none. What comes of a row may depend on rows of the same key only. The rows
   * of every section of a snapshot begin with the columns of the key, of the input's types and
   * values, nulls included: an object is restored from those of its keys, and the next run may have
   * another number of partitions. Numbers cannot be saved. */
  flowrun_code (*keys)(const void* self, uint64_t* columns, uint64_t* count, flowrun_error* error);
} flowrun_stateful;

/* ---- Source: where rows come from
 * ---------------------------------------------------------------- */

#define FLOWRUN_MORE 0        /* read again */
#define FLOWRUN_EPOCH_ENDS 1  /* this source's part of the epoch is complete (flag MARKS_EPOCHS) */
#define FLOWRUN_STREAM_ENDS 2 /* nothing will come any more */
#define FLOWRUN_IDLE 3        /* the time is over and nothing came */

#define FLOWRUN_SOURCE_REPLAYABLE 1u   /* open with an offset gives the same rows again */
#define FLOWRUN_SOURCE_FINITE 2u       /* it ends by itself */
#define FLOWRUN_SOURCE_MARKS_EPOCHS 4u /* it decides itself what an epoch is */

/* A record that the source could not take. It is counted, logged, and given out on the port
 * `errors` when the source's spec has that port. */
typedef struct flowrun_rejection {
  uint64_t size;
  flowrun_text source; /* the peer or the file */
  flowrun_text offset; /* where in it: "line 17" */
  flowrun_text reason;
  flowrun_text raw; /* its bytes, or the first 64 KiB of them */
} flowrun_rejection;

/* Comes zeroed but for its size: the host's, which may know less than this header. Write nothing
 * behind it. */
typedef struct flowrun_chunk {
  uint64_t size;
  int32_t mark;
  int32_t reserved;
  struct ArrowArray rows; /* release null: no rows */
  flowrun_text offset;    /* after these rows: what open is given to go on from here */
  int64_t bytes;          /* read from outside, for the metrics */
  const flowrun_rejection* const* rejected; /* they live until the next call */
  uint64_t num_rejected;
} flowrun_chunk;

/* make and bind on one thread; then open, read, committed and close on the source's own; cancel
 * from any thread at any time. When read says FLOWRUN_UNAVAILABLE, open is called again. */
typedef struct flowrun_source {
  uint64_t size;
  uint32_t flags;
  uint32_t reserved;
  flowrun_code (*make)(const flowrun_make* make, void** self, flowrun_error* error);
  void (*destroy)(void* self);
  flowrun_code (*bind)(void* self, struct ArrowSchema* schema, flowrun_error* error);
  /* From behind `offset`; null: from where the options say. */
  flowrun_code (*open)(void* self, const flowrun_text* offset, flowrun_error* error);
  /* Blocks until there are rows, for at most so many microseconds. */
  flowrun_code (*read)(void* self, int64_t timeout, flowrun_chunk* chunk, flowrun_error* error);
  void (*committed)(void* self,
                    flowrun_text offset); /* all before is safe downstream; may be null */
  void (*cancel)(void* self); /* makes a blocked read or open return FLOWRUN_CANCELLED soon */
  void (*close)(void* self);  /* may be null */
  /* Before open: read only what is there now, then FLOWRUN_STREAM_ENDS. May be null. */
  void (*stop_at_end)(void* self);
  /* Once, between bind and open; may be null. wanted[i] is 0 when nobody reads column i: it may be
   * given as nulls. */
  void (*narrow)(void* self, const int32_t* wanted, uint64_t num_wanted);
  /* Whether open would succeed, in place of it, for `flowrun check --connect`: after bind, on any
   * thread, ended by cancel. Reads no row, commits and makes nothing outside, and leaves nothing
   * open. FLOWRUN_CANCELLED with words: it cannot tell without changing something. Null: it is
   * opened and closed. */
  flowrun_code (*probe)(void* self, flowrun_error* error);
} flowrun_source;

/* ---- Sink: where rows go
 * -------------------------------------------------------------------------- */

#define FLOWRUN_APPEND 1u
#define FLOWRUN_UPDATE 2u
#define FLOWRUN_COMPLETE 4u

#define FLOWRUN_SINK_BLOCKS \
  1u /* write or commit may wait for a peer: it gets a thread of its own */

typedef struct flowrun_sink_input {
  uint64_t size;
  uint32_t mode;           /* FLOWRUN_APPEND, ... */
  int32_t aggregation;     /* the rows come from an aggregation */
  const char* const* keys; /* its grouping columns */
  uint64_t num_keys;
} flowrun_sink_input;

/* make, bind and open once; then for each epoch in which it is due write any number of times,
 * prepare, commit; one call at a time, from changing threads unless FLOWRUN_SINK_BLOCKS. abort in
 * place of commit when the run fails; close at the end. */
typedef struct flowrun_sink {
  uint64_t size;
  uint32_t flags;
  uint32_t modes; /* of FLOWRUN_APPEND ... those that it can take */
  flowrun_code (*make)(const flowrun_make* make, void** self, flowrun_error* error);
  void (*destroy)(void* self);
  flowrun_code (*bind)(void* self, const struct ArrowSchema* schema,
                       const flowrun_sink_input* input, flowrun_error* error);
  /* The token committed last before a restart, or null. Anything newer is to be discarded. */
  flowrun_code (*open)(void* self, const flowrun_text* last_committed, flowrun_error* error);
  flowrun_code (*write)(void* self, int64_t epoch, struct ArrowArray* batch, flowrun_error* error);
  /* Durable, not visible; gives a token that commit takes, perhaps after a restart. May be null. */
  flowrun_code (*prepare)(void* self, int64_t epoch, flowrun_text* token, flowrun_error* error);
  /* Visible. Idempotent. */
  flowrun_code (*commit)(void* self, int64_t epoch, flowrun_text token, flowrun_error* error);
  flowrun_code (*abort)(void* self, int64_t epoch, flowrun_error* error); /* may be null */
  void (*close)(void* self);                                              /* may be null */
  void (*cancel)(void* self); /* from any thread: a blocked call returns; may be null */
  /* As that of a source. Null: nothing is tried, for to open may discard what was not committed. */
  flowrun_code (*probe)(void* self, flowrun_error* error);
} flowrun_sink;

/* ---- Scalar function: f(x, y) in expressions
 * ------------------------------------------------------- */

#define FLOWRUN_FUNCTION_MAY_FAIL 1u          /* fails on data: called only for rows that need it */
#define FLOWRUN_FUNCTION_NOT_DETERMINISTIC 2u /* two calls may differ: never folded */

/* One way to call a function: Spark's types, such as "double", "array<string>". */
typedef struct flowrun_signature {
  uint64_t size;
  const char* const* arguments;
  uint64_t num_arguments;
  const char* result;
  /* From any number of threads at a time. `arguments` is a batch of num_arguments columns of the
   * types above, constants written out; fills *result with a column as long. */
  flowrun_code (*call)(void* context, const struct ArrowArray* arguments, struct ArrowArray* result,
                       flowrun_error* error);
} flowrun_signature;

/* The first signature that the arguments match as they are, else the first that they can be cast
 * to. */
typedef struct flowrun_scalar {
  uint64_t size;
  uint32_t flags;
  uint32_t reserved;
  const flowrun_signature* const* signatures;
  uint64_t num_signatures;
} flowrun_scalar;

/* ---- Aggregate function: f(x) over groups
 * ----------------------------------------------------------- */

/* One `states` object holds the states of all groups of one call, by dense numbers from 0; it is
 * used by one thread at a time. */
typedef struct flowrun_aggregate {
  uint64_t size;
  uint64_t num_arguments;
  const char* const* arguments; /* Spark's types, as in flowrun_signature */
  const char* result;
  const char*
      state; /* the columns that save gives and load takes, as DDL: "sum DOUBLE, n BIGINT" */
  flowrun_code (*make_states)(void* context, void** states, flowrun_error* error);
  void (*destroy_states)(void* states);
  flowrun_code (*resize)(void* states, uint64_t num_groups,
                         flowrun_error* error); /* new ones are empty */
  /* Row rows[i] of the arguments goes to group groups[i]. Rows come in order of i, not in order of
   * arrival. */
  flowrun_code (*update)(void* states, const uint32_t* groups, const int32_t* rows,
                         uint64_t num_rows, const struct ArrowArray* arguments,
                         flowrun_error* error);
  /* Group from_groups[i] of `from` is added to groups[i]. `from` is another object. */
  flowrun_code (*merge)(void* states, const uint32_t* groups, const void* from,
                        const uint32_t* from_groups, uint64_t num_groups, flowrun_error* error);
  /* One row per named group. */
  flowrun_code (*result_of)(const void* states, const uint32_t* groups, uint64_t num_groups,
                            struct ArrowArray* result, flowrun_error* error);
  /* Keeps the named groups, renumbered 0, 1, ... in that order. */
  flowrun_code (*keep)(void* states, const uint32_t* groups, uint64_t num_groups,
                       flowrun_error* error);
  int64_t (*memory_bytes)(const void* states); /* may be null */
  flowrun_code (*save)(const void* states, const uint32_t* groups, uint64_t num_groups,
                       struct ArrowArray* rows, flowrun_error* error);
  flowrun_code (*load)(void* states, const struct ArrowArray* rows,
                       flowrun_error* error); /* appends */
} flowrun_aggregate;

/* ---- Format: records to columns, for `parse: NAME` and `format: NAME` of a source; columns to
 * bytes, for `format: NAME` of a sink
 * ------------------------------------------------------------------------- */

typedef struct flowrun_bad_record {
  uint64_t size;
  int64_t record;      /* its number among those given */
  flowrun_text reason; /* what is wrong with it */
} flowrun_bad_record;

/* Comes zeroed but for its size: the host's, which may know less than this header. Write nothing
 * behind it. What it points to lives until the next call to the same reader. */
typedef struct flowrun_records {
  uint64_t size;
  struct ArrowArray rows; /* a batch of the schema given to bind */
  const int32_t* origins; /* the record that each row was made of, never falling; null: row i was
                             made of record i, and there are as many */
  uint64_t num_origins;   /* as many as rows */
  const flowrun_bad_record* const* bad; /* records that are wrong, in rising order */
  uint64_t num_bad;
} flowrun_records;

/* Where a writer puts what it writes; for the time of one call. */
typedef struct flowrun_output {
  uint64_t size;
  void* context;
  /* Appends a copy of the bytes to what the caller keeps of the file or connection: they stay the
   * plugin's. Return its error. */
  flowrun_code (*append)(void* context, const void* bytes, uint64_t count, flowrun_error* error);
} flowrun_output;

/* A format reads, writes or does both; the functions of what it does not do are null, and a
 * pipeline that asks for it is refused.
 *
 * Reading: make, bind once; then any number of readers, made from any thread, each used by one
 * thread at a time. A wrong record is no error: it is named in `bad`, and has a row all the same,
 * of nulls and what could be read of it; the host keeps or drops the row, fails, or gives the
 * record out on the port `errors`, as the pipeline says. A null record has a row of nulls and is
 * not bad. The rows may not depend on which records come together.
 *
 * Writing: make once, without bind; then any number of writers, made from any thread, each used by
 * one thread at a time, for one file or connection each: begin, any number of writes, end. The
 * bytes may not depend on how the rows are cut into batches, and those of a file not on other
 * files. One more writer is made when the pipeline is checked and is never written with. A writer
 * goes without an end when the run fails. Where the format reads too, a row that was written is a
 * record that reads as that row; a line end behind it is no part of it. */
typedef struct flowrun_format {
  uint64_t size;
  uint32_t flags;
  uint32_t reserved;
  /* The options are those of the format's spec and, for reading, the `schema`. */
  flowrun_code (*make)(const flowrun_make* make, void** self, flowrun_error* error);
  void (*destroy)(void* self);
  /* The columns that the pipeline wants of the records; refuse those that cannot be had. */
  flowrun_code (*bind)(void* self, const struct ArrowSchema* schema, flowrun_error* error);
  /* wanted[i] is 0 when nobody reads column i: it need not be read and may be given as nulls. */
  flowrun_code (*make_reader)(const void* self, const int32_t* wanted, uint64_t num_wanted,
                              void** reader, flowrun_error* error);
  void (*destroy_reader)(void* reader);
  /* `records` is a batch of one column of binary (vz; z with FLOWRUN_TEXT_WITH_OFFSETS), a record
   * in each row, and stays the caller's. */
  flowrun_code (*read)(void* reader, const struct ArrowArray* records, flowrun_records* out,
                       flowrun_error* error);
  const char* extension; /* of the names of its files: "log"; null: the format's name */
  /* `schema` is that of the rows; refuse columns that the format cannot hold. */
  flowrun_code (*make_writer)(const void* self, const struct ArrowSchema* schema, void** writer,
                              flowrun_error* error);
  void (*destroy_writer)(void* writer);
  /* What stands before the first row; may be null. */
  flowrun_code (*begin)(void* writer, const flowrun_output* out, flowrun_error* error);
  /* Every row, with all that parts it from the next. */
  flowrun_code (*write)(void* writer, struct ArrowArray* batch, const flowrun_output* out,
                        flowrun_error* error);
  /* What stands behind the last row; null: nothing ever does. With it a file is that of one epoch:
   * it cannot be added to. */
  flowrun_code (*end)(void* writer, const flowrun_output* out, flowrun_error* error);
} flowrun_format;

#ifdef __cplusplus
}
#endif

#endif /* FLOWRUN_PLUGIN_H */
