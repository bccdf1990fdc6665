/* flowrun inside another program, in C. C++ programs have flowrun/flowrun.h, which is made of this
 * header alone; docs/embedding.md is for both.
 *
 *   flowrun_engine* engine = NULL;
 *   flowrun_failure failure = FLOWRUN_FAILURE_INIT;
 *   if (flowrun_load_file("iot.yaml", NULL, &engine, NULL, &failure) != FLOWRUN_OK ||
 *       flowrun_engine_start(engine, &failure) != FLOWRUN_OK ||
 *       flowrun_engine_wait(engine, FLOWRUN_FOREVER, &failure) != FLOWRUN_OK)
 *     fprintf(stderr, "%s\n", failure.text);
 *   flowrun_failure_clear(&failure);
 *   flowrun_engine_destroy(engine);
 *
 * Rules
 *  1. Every struct begins with its size, set by whoever makes it to sizeof of the struct as he
 *     knows it, and only ever grows at its end. What lies behind the size is absent: zero, and zero
 *     is always a sensible setting. The rest are handles, of which only pointers are known.
 *  2. A function that may fail returns a flowrun_code. When that is not FLOWRUN_OK it has handed
 *     over nothing, taken nothing, and written why into the caller's flowrun_failure, if one was
 *     given. The text in it is the caller's: flowrun_failure_clear frees it.
 *  3. Data crosses as Arrow's C Data Interface, by the rules 3 to 6 of flowrun_plugin.h.
 *  4. Every function may be called from any thread at any time, on the same handle too, but for
 *     those that destroy or release it. Handles may be released in any order: what belongs to an
 *     engine that is gone says so. An engine may be destroyed in any state, from any thread, but not
 *     in a callback of its own, where the process aborts with a message.
 *  5. Times to wait are microseconds: 0 does not wait, FLOWRUN_FOREVER waits for as long as it
 *     takes.
 *  6. Nothing is printed unless a pipeline has a console sink and the settings no on_console; no
 *     signal is handled; the process is never ended. There is no state outside of the handles: any
 *     number of engines live in one process.
 *  7. Callbacks are called from the engine's threads and must not block, nor let exceptions out.
 *  8. A program linked with this header runs with every libflowrun of the same SOVERSION.
 */
#ifndef FLOWRUN_C_H
#define FLOWRUN_C_H

#include "flowrun_plugin.h"

#if defined(__GNUC__)
#define FLOWRUN_API __attribute__((visibility("default")))
#else
#define FLOWRUN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Arrow's C Stream Interface; https://arrow.apache.org/docs/format/CStreamInterface.html */
#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

#define FLOWRUN_FOREVER (-1)

/* ---- Failures ------------------------------------------------------------------------------ */

/* Beside the codes of flowrun_plugin.h: */
#define FLOWRUN_TIMEOUT 7 /* the time to wait is over; call again */
#define FLOWRUN_ENDED 8   /* the run is over, and well: there is nothing more */

/* Set to FLOWRUN_FAILURE_INIT before its first use; it may be used again without being cleared. */
typedef struct flowrun_failure {
  uint64_t size;
  flowrun_code code;
  int32_t line; /* where in the pipeline's file, from 1; 0: not known */
  int32_t column;
  int32_t reserved;
  char* text; /* what is wrong and, after a dash, what would be right */
  char* node; /* the node it is about; null: none */
  char* file;
} flowrun_failure;

#define FLOWRUN_FAILURE_INIT {sizeof(flowrun_failure), 0, 0, 0, 0, 0, 0, 0}

FLOWRUN_API void flowrun_failure_clear(flowrun_failure* failure);
/* Frees a text that another function says is the caller's. */
FLOWRUN_API void flowrun_text_free(char* text);
/* The library's version, such as "0.1.0". */
FLOWRUN_API const char* flowrun_version(void);

/* Columns as Spark's DDL writes them, "sensor STRING, value DOUBLE", as a schema of struct, which the
 * caller releases. */
FLOWRUN_API flowrun_code flowrun_schema_of(const char* ddl, struct ArrowSchema* schema,
                                           flowrun_failure* failure);

/* ---- Operators and functions of the program's own ------------------------------------------- */

typedef struct flowrun_registry flowrun_registry;

FLOWRUN_API flowrun_registry* flowrun_registry_new(void);
/* Engines that were loaded with it keep what they need. */
FLOWRUN_API void flowrun_registry_release(flowrun_registry* registry);
/* Enters a description as a plugin's entry would give it back, for every engine that is loaded with
 * the registry from then on. It must live until `release` is called with `context`, which is when
 * the last such engine and the registry are gone; release may be null. */
FLOWRUN_API flowrun_code flowrun_registry_add(flowrun_registry* registry,
                                              const flowrun_plugin* plugin,
                                              void (*release)(void* context), void* context,
                                              flowrun_failure* failure);

/* ---- What an engine reports ------------------------------------------------------------------ */

#define FLOWRUN_LOG_INFO 0
#define FLOWRUN_LOG_WARNING 1
#define FLOWRUN_LOG_ERROR 2

/* One epoch. Times in microseconds; rates in rows a second. */
typedef struct flowrun_progress {
  uint64_t size;
  int64_t epoch;
  int64_t timestamp; /* when it began, since 1970, UTC */
  int64_t input_rows;
  double input_rows_per_second;
  double processed_rows_per_second;
  int64_t read_duration;   /* from the first rows to the trigger */
  int64_t absorb_duration; /* until the last rows were absorbed */
  int64_t close_duration;  /* what stateful operators did at its end */
  int64_t commit_duration;
  int64_t total_duration;
  int64_t watermark;
  int32_t has_watermark;
  int32_t reserved;
  int64_t late_rows;     /* since the start, as the next one */
  int64_t rejected_rows;
  int64_t state_rows;
  int64_t state_bytes;
  int64_t memory_bytes; /* all that counts against `memory:` */
  int64_t lag;          /* how long the oldest unread row has waited */
} flowrun_progress;

/* A clock of the program's own, in microseconds; from any thread. */
typedef struct flowrun_clock {
  uint64_t size;
  int64_t (*now)(void* context);       /* since 1970, UTC */
  int64_t (*monotonic)(void* context); /* never runs back */
  void* context;
} flowrun_clock;

/* ---- Loading --------------------------------------------------------------------------------- */

typedef struct flowrun_engine flowrun_engine;
typedef struct flowrun_diagnostics flowrun_diagnostics;
typedef struct flowrun_builder flowrun_builder;

/* All zero but for its size: as the pipeline's file says. Copied; what pointers lead to must live
 * for the call, but the contexts and the clock's functions for as long as the engine. */
typedef struct flowrun_settings {
  uint64_t size;
  const char* const* set; /* "node.option=value" or "key=value", over what the pipeline says */
  uint64_t num_set;
  const char* const* only; /* the sinks to run; none: all */
  uint64_t num_only;
  const char* const* plugins; /* libraries, as --plugin has them */
  uint64_t num_plugins;
  flowrun_registry* registry;
  int32_t threads; /* 0: as the pipeline says, or one per core */
  int32_t stepped; /* not 0: no threads; the program calls flowrun_engine_step */
  int64_t memory;  /* bytes; 0: as the pipeline says, or 256 MiB */
  int64_t epochs;  /* stop after so many; 0: no bound */
  int64_t run_for; /* microseconds; 0: no bound */
  const flowrun_clock* clock;
  void* context; /* given to the functions below */
  void (*on_log)(void* context, int32_t level, const char* node, const char* message);
  void (*on_progress)(void* context, const flowrun_progress* progress);
  void (*on_console)(void* context, const char* text, uint64_t size); /* of console sinks */
  /* Absolute folders in which plugins named by a word are looked for; the environment is not read */
  const char* const* plugin_folders;
  uint64_t num_plugin_folders;
} flowrun_settings;

#define FLOWRUN_ERROR 0
#define FLOWRUN_WARNING 1

typedef struct flowrun_diagnostic {
  uint64_t size;
  int32_t severity;
  int32_t line; /* from 1; 0: not known */
  int32_t column;
  int32_t length;
  const char* message;
  const char* node; /* "": about none */
  const char* file;
} flowrun_diagnostic;

/* Check a pipeline and make an engine of it; nothing is opened. `settings` and `diagnostics` may be
 * null. What there is to say, warnings too, is in *diagnostics, whose release is the caller's, both
 * with FLOWRUN_OK and with FLOWRUN_INVALID; the failure has the first error. */
FLOWRUN_API flowrun_code flowrun_load_file(const char* path, const flowrun_settings* settings,
                                           flowrun_engine** engine,
                                           flowrun_diagnostics** diagnostics,
                                           flowrun_failure* failure);
/* `name` stands for the file in messages; paths in the text are relative to its folder. */
FLOWRUN_API flowrun_code flowrun_load_text(const char* text, uint64_t size, const char* name,
                                           const flowrun_settings* settings,
                                           flowrun_engine** engine,
                                           flowrun_diagnostics** diagnostics,
                                           flowrun_failure* failure);
FLOWRUN_API flowrun_code flowrun_load_built(const flowrun_builder* builder, const char* name,
                                            const flowrun_settings* settings,
                                            flowrun_engine** engine,
                                            flowrun_diagnostics** diagnostics,
                                            flowrun_failure* failure);

FLOWRUN_API uint64_t flowrun_diagnostics_count(const flowrun_diagnostics* diagnostics);
/* What `diagnostic` points to lives as long as the diagnostics. */
FLOWRUN_API void flowrun_diagnostics_get(const flowrun_diagnostics* diagnostics, uint64_t index,
                                         flowrun_diagnostic* diagnostic);
/* All of them for people, with the lines they are about. Lives as long as the diagnostics. */
FLOWRUN_API const char* flowrun_diagnostics_text(const flowrun_diagnostics* diagnostics);
FLOWRUN_API void flowrun_diagnostics_release(flowrun_diagnostics* diagnostics);

/* ---- A pipeline without a text --------------------------------------------------------------- */

/* The document of a pipeline, value by value: maps, lists, and texts that the operators' specs give
 * a meaning, exactly as in a file. Not thread-safe.
 *
 *   flowrun_builder* b = flowrun_builder_new();      // the top level's map is open
 *   flowrun_builder_map(b, "nodes");
 *   flowrun_builder_map(b, "in");
 *   flowrun_builder_text(b, "source", "push");
 *   flowrun_builder_text(b, "schema", "x BIGINT");
 *   flowrun_builder_end(b);                          // of `in`
 */
FLOWRUN_API flowrun_builder* flowrun_builder_new(void);
FLOWRUN_API void flowrun_builder_release(flowrun_builder* builder);
/* Inside a map `key` is the entry's; inside a list it is null. */
FLOWRUN_API void flowrun_builder_map(flowrun_builder* builder, const char* key);
FLOWRUN_API void flowrun_builder_list(flowrun_builder* builder, const char* key);
/* A text: also where any scalar is taken it stays one. */
FLOWRUN_API void flowrun_builder_text(flowrun_builder* builder, const char* key, const char* text);
/* A number, true, false, or a word, as it would stand in a file without quotes. */
FLOWRUN_API void flowrun_builder_plain(flowrun_builder* builder, const char* key, const char* text);
/* Of the map or list that was begun last. */
FLOWRUN_API void flowrun_builder_end(flowrun_builder* builder);

/* ---- Running --------------------------------------------------------------------------------- */

#define FLOWRUN_STATE_LOADED 0
#define FLOWRUN_STATE_RUNNING 1
#define FLOWRUN_STATE_ENDED 2
#define FLOWRUN_STATE_FAILED 3

/* Runs on threads of the engine's own. Once. */
FLOWRUN_API flowrun_code flowrun_engine_start(flowrun_engine* engine, flowrun_failure* failure);
/* Until the run is over: FLOWRUN_OK, or why it failed, or FLOWRUN_TIMEOUT. */
FLOWRUN_API flowrun_code flowrun_engine_wait(flowrun_engine* engine, int64_t timeout,
                                             flowrun_failure* failure);
/* Ends the epoch and commits it; windows stay open. Does not wait. */
FLOWRUN_API void flowrun_engine_stop(flowrun_engine* engine);
/* Refuses further pushes, waits until everything that was pushed is committed, stops and waits for
 * the end. FLOWRUN_TIMEOUT: stopped before all was committed, or not at its end yet. */
FLOWRUN_API flowrun_code flowrun_engine_drain(flowrun_engine* engine, int64_t timeout,
                                              flowrun_failure* failure);
FLOWRUN_API int32_t flowrun_engine_state(const flowrun_engine* engine);
/* Why the run failed; FLOWRUN_OK if it did not, or not yet. */
FLOWRUN_API flowrun_code flowrun_engine_outcome(const flowrun_engine* engine,
                                                flowrun_failure* failure);
/* Stops, waits for the end and takes everything down. Null is nothing. */
FLOWRUN_API void flowrun_engine_destroy(flowrun_engine* engine);

typedef struct flowrun_step {
  uint64_t size;
  int32_t made_epoch;
  int32_t ended;
  int64_t next_wake; /* call again after so many microseconds, even if nothing woke the descriptor */
} flowrun_step;

/* With settings.stepped: reads all that is there, and ends the epoch if one is due, on this thread
 * and in the same order every time. Waits for an epoch for at most `timeout`. Only one epoch, which
 * the trigger's own rules bound. While a pull sink is full it does nothing. */
FLOWRUN_API flowrun_code flowrun_engine_step(flowrun_engine* engine, int64_t timeout,
                                             flowrun_step* step, flowrun_failure* failure);
/* An eventfd that is readable when rows were pushed, a source was finished or stop was called since
 * the last step: for poll and epoll. The engine's; -1 if it is not stepped. */
FLOWRUN_API int flowrun_engine_wake_fd(const flowrun_engine* engine);

/* ---- Looking at it --------------------------------------------------------------------------- */

/* Text as u and z, copied, for readers that know no string views (vu, vz). */
#define FLOWRUN_WITH_OFFSETS 1u

typedef struct flowrun_table_info {
  uint64_t size;
  int64_t epoch; /* the last one committed to it; -1: none */
  int64_t num_rows;
  int64_t dropped_rows; /* that left because of keep_rows or keep */
} flowrun_table_info;

/* The live table (of a memory sink) as of its last commit: nothing is copied, and it stays as it is
 * while the engine goes on. `info` may be null. */
FLOWRUN_API flowrun_code flowrun_engine_table(const flowrun_engine* engine, const char* name,
                                              uint32_t flags, struct ArrowArrayStream* rows,
                                              flowrun_table_info* info, flowrun_failure* failure);
/* The live table's first rows in the frame that Spark's show prints, cells cut to `truncate`
 * characters, -1: not. *text is the caller's. */
FLOWRUN_API flowrun_code flowrun_engine_show(const flowrun_engine* engine, const char* name,
                                             int64_t rows, int64_t truncate, char** text,
                                             flowrun_failure* failure);
/* The same frame of any rows, with the times in the pipeline's zone. The stream is taken and
 * released, whatever comes of it. *text is the caller's. */
FLOWRUN_API flowrun_code flowrun_engine_show_rows(const flowrun_engine* engine,
                                                  struct ArrowArrayStream* stream, int64_t rows,
                                                  int64_t truncate, char** text,
                                                  flowrun_failure* failure);

/* All zero but for its size: no bounds. */
typedef struct flowrun_sql_options {
  uint64_t size;
  int64_t max_rows;   /* 0: all */
  int64_t time_limit; /* microseconds; 0: no bound */
  uint32_t flags;     /* FLOWRUN_WITH_OFFSETS */
  uint32_t reserved;
  /* Asked now and then on the caller's thread; not 0 ends the statement. */
  int32_t (*cancelled)(void* context);
  void* context;
} flowrun_sql_options;

typedef struct flowrun_sql_info {
  uint64_t size;
  int64_t num_rows;
  int32_t more; /* there were more than max_rows */
  int32_t reserved;
} flowrun_sql_info;

/* Answers one SELECT over the live tables, as of one epoch, and the static ones (docs/sql.md), on
 * the caller's thread, while the engine goes on. `options`, `rows` and `info` may be null.
 * FLOWRUN_INVALID: what the statement has wrong, with its line and column there, or that the
 * library was built without SQL. FLOWRUN_CANCELLED: it took too long, or `cancelled` said so. */
FLOWRUN_API flowrun_code flowrun_engine_sql(const flowrun_engine* engine, const char* statement,
                                            const flowrun_sql_options* options,
                                            struct ArrowArrayStream* rows, flowrun_sql_info* info,
                                            flowrun_failure* failure);
/* Of the last epoch; FLOWRUN_TIMEOUT before the first. */
FLOWRUN_API flowrun_code flowrun_engine_progress(const flowrun_engine* engine,
                                                 flowrun_progress* progress,
                                                 flowrun_failure* failure);
/* The same with sources, states and sinks one by one, as a JSON object on one line. The caller's;
 * null before the first epoch. */
FLOWRUN_API char* flowrun_engine_progress_json(const flowrun_engine* engine);
/* The graph, as `flowrun explain` prints it. The caller's. */
FLOWRUN_API char* flowrun_engine_explain(const flowrun_engine* engine);
/* The pipeline's name. Lives as long as the engine. */
FLOWRUN_API const char* flowrun_engine_name(const flowrun_engine* engine);

/* ---- Rows in: `source: push` ------------------------------------------------------------------ */

typedef struct flowrun_push flowrun_push;

FLOWRUN_API flowrun_code flowrun_push_open(flowrun_engine* engine, const char* node,
                                           flowrun_push** push, flowrun_failure* failure);
FLOWRUN_API void flowrun_push_release(flowrun_push* push);
/* What `schema:` says; the caller releases it. */
FLOWRUN_API void flowrun_push_schema(const flowrun_push* push, struct ArrowSchema* schema);
/* Waits for room, for at most `timeout`, and takes the batch, without copying where the layouts
 * agree. `schema` says what the batch is, null: exactly what flowrun_push_schema gives. *ticket, if
 * it is not null, becomes the batch's number, from 1. May be called before start. With
 * FLOWRUN_TIMEOUT, FLOWRUN_CANCELLED and FLOWRUN_INVALID the batch is still the caller's, to be
 * pushed again. */
FLOWRUN_API flowrun_code flowrun_push_batch(flowrun_push* push, const struct ArrowSchema* schema,
                                            struct ArrowArray* batch, int64_t timeout,
                                            int64_t* ticket, flowrun_failure* failure);
/* Nothing more comes: the source ends, and when all sources have, so does the run. */
FLOWRUN_API void flowrun_push_finish(flowrun_push* push);
/* Up to this ticket everything is committed in every sink. */
FLOWRUN_API int64_t flowrun_push_committed(const flowrun_push* push);
/* Waits until the ticket's batch is committed; or says why it never will be. */
FLOWRUN_API flowrun_code flowrun_push_wait(flowrun_push* push, int64_t ticket, int64_t timeout,
                                           flowrun_failure* failure);
/* The same as a call: at once if it is known, else from an engine's thread. `why` is null, or what
 * flowrun_push_wait would have said; it lives for the call. */
FLOWRUN_API void flowrun_push_on_settled(flowrun_push* push, int64_t ticket,
                                         void (*settled)(void* context, int64_t ticket,
                                                         const flowrun_failure* why),
                                         void* context);

/* ---- Rows out: `sink: pull` ------------------------------------------------------------------- */

typedef struct flowrun_pull flowrun_pull;

typedef struct flowrun_pull_info {
  uint64_t size;
  int64_t epoch;
  int32_t last_of_epoch;
  int32_t reserved;
} flowrun_pull_info;

FLOWRUN_API flowrun_code flowrun_pull_open(flowrun_engine* engine, const char* node, uint32_t flags,
                                           flowrun_pull** pull, flowrun_failure* failure);
FLOWRUN_API void flowrun_pull_release(flowrun_pull* pull);
FLOWRUN_API void flowrun_pull_schema(const flowrun_pull* pull, struct ArrowSchema* schema);
/* Waits for the next batch of a committed epoch. FLOWRUN_ENDED when all was taken and the run is
 * over; the run's own failure when it failed. `info` may be null. */
FLOWRUN_API flowrun_code flowrun_pull_batch(flowrun_pull* pull, int64_t timeout,
                                            struct ArrowArray* batch, flowrun_pull_info* info,
                                            flowrun_failure* failure);

#ifdef __cplusplus
}
#endif

#endif /* FLOWRUN_C_H */
