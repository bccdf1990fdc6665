/* kept: a transform in plain C, as of the first header. Keeps a column of doubles between two bounds. */
#include "flowrun_plugin.h" /* the kept one, beside this file */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct clip {
  char* column_name;
  double least;
  double most;
  int64_t column; /* found by bind */
} clip;

static flowrun_code fail(flowrun_error* error, flowrun_code code, const char* text,
                         const char* name) {
  snprintf(error->text, error->capacity, text, name);
  return code;
}

static const flowrun_value* find(const flowrun_options* options, const char* name) {
  for (uint64_t i = 0; i < options->count; ++i) {
    const flowrun_text key = options->names[i];
    if (key.size == strlen(name) && memcmp(key.data, name, key.size) == 0)
      return options->values[i];
  }
  return NULL;
}

static flowrun_code clip_make(const flowrun_make* make, void** self, flowrun_error* error) {
  const flowrun_value* column = find(make->options, "kept");
  const flowrun_value* least = find(make->options, "least");
  const flowrun_value* most = find(make->options, "most");
  clip* made = calloc(1, sizeof *made);
  if (!made) return fail(error, FLOWRUN_EXHAUSTED, "no memory for `%s`", "kept");
  made->column_name = strndup(column->text.data, column->text.size);
  made->least = least ? least->number : -INFINITY;
  made->most = most ? most->number : INFINITY;
  *self = made;
  if (made->least <= made->most) return FLOWRUN_OK;
  snprintf(error->option, error->option_capacity, "least");
  free(made->column_name);
  free(made);
  *self = NULL;
  return fail(error, FLOWRUN_INVALID, "`%s` is above `most` — exchange them", "least");
}

static void clip_destroy(void* self) {
  free(((clip*)self)->column_name);
  free(self);
}

/* ---- A copy of a schema: what comes out is what went in. ---- */

static void release_schema(struct ArrowSchema* schema) {
  for (int64_t i = 0; i < schema->n_children; ++i) {
    if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  free((void*)schema->format);
  free((void*)schema->name);
  schema->release = NULL;
}

static void copy_schema(const struct ArrowSchema* from, struct ArrowSchema* to) {
  memset(to, 0, sizeof *to);
  to->format = strdup(from->format);
  to->name = strdup(from->name ? from->name : "");
  to->flags = from->flags;
  to->n_children = from->n_children;
  to->children = calloc((size_t)from->n_children + 1, sizeof *to->children);
  for (int64_t i = 0; i < from->n_children; ++i) {
    to->children[i] = malloc(sizeof *to->children[i]);
    copy_schema(from->children[i], to->children[i]);
  }
  to->release = release_schema;
}

static flowrun_code clip_bind(void* self, const struct ArrowSchema* input,
                              struct ArrowSchema* outputs, flowrun_error* error) {
  clip* own = self;
  own->column = -1;
  for (int64_t i = 0; i < input->n_children; ++i) {
    if (strcmp(input->children[i]->name, own->column_name) == 0) own->column = i;
  }
  snprintf(error->option, error->option_capacity, "kept");
  if (own->column < 0) return fail(error, FLOWRUN_INVALID, "no column `%s`", own->column_name);
  if (strcmp(input->children[own->column]->format, "g") != 0)
    return fail(error, FLOWRUN_INVALID, "column `%s` is no double — cast it first",
                own->column_name);
  copy_schema(input, &outputs[0]);
  return FLOWRUN_OK;
}

/* ---- The column that is exchanged: values of its own, the bitmap of the old one. ---- */

typedef struct clipped {
  struct ArrowArray old;
  const void* buffers[2];
} clipped;

static void release_clipped(struct ArrowArray* array) {
  clipped* own = array->private_data;
  own->old.release(&own->old);
  free((void*)own->buffers[1]);
  free(own);
  array->release = NULL;
}

static flowrun_code clip_apply(const void* self, void* scratch, const flowrun_epoch* epoch,
                               struct ArrowArray* batch, const flowrun_emitter* out,
                               flowrun_error* error) {
  (void)scratch, (void)epoch;
  const clip* own = self;
  struct ArrowArray* column = batch->children[own->column];
  const size_t rows = (size_t)(column->offset + column->length);
  clipped* made = malloc(sizeof *made);
  double* values = malloc((rows + 1) * sizeof *values);
  if (!made || !values)
    return fail(error, FLOWRUN_EXHAUSTED, "no memory for `%s`", own->column_name);
  const double* in = column->buffers[1];
  for (size_t i = (size_t)column->offset; i < rows; ++i)
    values[i] = in[i] < own->least ? own->least : in[i] > own->most ? own->most : in[i];
  made->old = *column; /* moved: the new array keeps it */
  made->buffers[0] = column->buffers[0];
  made->buffers[1] = values;
  column->buffers = made->buffers;
  column->release = release_clipped;
  column->private_data = made;
  return out->emit(out->context, 0, NULL, batch, error);
}

/* ---- What it says of itself. ---- */

static const flowrun_option_spec primary = {.size = sizeof primary,
                                            .name = "kept",
                                            .kind = FLOWRUN_OPTION_COLUMN,
                                            .flags = FLOWRUN_OPTION_REQUIRED,
                                            .doc = "The column; a double."};
static const flowrun_option_spec least = {.size = sizeof least,
                                          .name = "least",
                                          .kind = FLOWRUN_OPTION_NUMBER,
                                          .doc = "Smaller values become this one."};
static const flowrun_option_spec most = {.size = sizeof most,
                                         .name = "most",
                                         .kind = FLOWRUN_OPTION_NUMBER,
                                         .doc = "Greater values become this one."};
static const flowrun_option_spec* const options[] = {&least, &most};
static const flowrun_example example = {
    .size = sizeof example,
    .title = "Keeps readings between -20 and 20",
    .yaml = "clipped: { from: readings, kept: x, least: -20, most: 20 }",
    .input = "k STRING, x DOUBLE"};
static const flowrun_example* const examples[] = {&example};
static const flowrun_spec spec = {.size = sizeof spec,
                                  .name = "kept",
                                  .summary = "Keeps a column between two bounds.",
                                  .primary = &primary,
                                  .options = options,
                                  .num_options = 2,
                                  .examples = examples,
                                  .num_examples = 1};
static const flowrun_transform table = {.size = sizeof table,
                                        .make = clip_make,
                                        .destroy = clip_destroy,
                                        .bind = clip_bind,
                                        .apply = clip_apply};
static const flowrun_component component = {
    .size = sizeof component, .kind = FLOWRUN_KIND_TRANSFORM, .spec = &spec, .table = &table};
static const flowrun_component* const components[] = {&component};
static const flowrun_plugin plugin = {.size = sizeof plugin,
                                      .abi_major = FLOWRUN_PLUGIN_ABI_MAJOR,
                                      .abi_minor = FLOWRUN_PLUGIN_ABI_MINOR,
                                      .name = "kept",
                                      .version = "1.0.0",
                                      .components = components,
                                      .num_components = 1};

FLOWRUN_PLUGIN_EXPORT const flowrun_plugin* FLOWRUN_PLUGIN_ENTRY(const flowrun_host* host) {
  (void)host;
  return &plugin;
}
