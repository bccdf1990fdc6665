/* Runs a pipeline in C: one bigint column goes in as an Arrow array, what is greater than 10 comes
 * out. The arrays are on the stack: their release only says that they are done with. */
#include <flowrun/flowrun_c.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char pipeline[] =
    "nodes:\n"
    "  in: { source: push, schema: \"x BIGINT\" }\n"
    "  big: { from: in, filter: \"x > 10\" }\n"
    "  out: { from: big, sink: pull }\n";

static void done_with(struct ArrowArray* array) { array->release = NULL; }

static int fail(flowrun_engine* engine, flowrun_failure* failure) {
  fprintf(stderr, "%s\n", failure->text ? failure->text : "failed");
  flowrun_failure_clear(failure);
  flowrun_engine_destroy(engine);
  return 1;
}

int main(void) {
  static int64_t values[] = {5, 11, 12};
  const void* column_buffers[] = {NULL, values};
  const void* batch_buffers[] = {NULL};
  struct ArrowArray column = {3, 0, 0, 2, 0, column_buffers, NULL, NULL, done_with, NULL};
  struct ArrowArray* columns[] = {&column};
  struct ArrowArray batch = {3, 0, 0, 1, 1, batch_buffers, columns, NULL, done_with, NULL};

  flowrun_failure failure = FLOWRUN_FAILURE_INIT;
  flowrun_engine* engine = NULL;
  flowrun_push* in = NULL;
  flowrun_pull* out = NULL;
  if (flowrun_load_text(pipeline, strlen(pipeline), "counts", NULL, &engine, NULL, &failure) ||
      flowrun_push_open(engine, "in", &in, &failure) ||
      flowrun_pull_open(engine, "out", 0, &out, &failure) ||
      flowrun_engine_start(engine, &failure) ||
      flowrun_push_batch(in, NULL, &batch, FLOWRUN_FOREVER, NULL, &failure))
    return fail(engine, &failure);
  flowrun_push_finish(in);

  struct ArrowArray rows;
  while (flowrun_pull_batch(out, FLOWRUN_FOREVER, &rows, NULL, &failure) == FLOWRUN_OK) {
    const struct ArrowArray* x = rows.children[0];
    const int64_t* numbers = (const int64_t*)x->buffers[1] + x->offset;
    for (int64_t i = 0; i < rows.length; ++i) printf("%" PRId64 "\n", numbers[i]);
    rows.release(&rows);
  }
  if (flowrun_engine_wait(engine, FLOWRUN_FOREVER, &failure)) return fail(engine, &failure);
  flowrun_push_release(in);
  flowrun_pull_release(out);
  flowrun_engine_destroy(engine);
  return 0;
}
