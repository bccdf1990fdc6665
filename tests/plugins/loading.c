/* Libraries that must not load, one for each WHAT. */
#include <flowrun/flowrun_plugin.h>
#include <stddef.h>

#define OTHER_ABI 1   /* the entry of another version */
#define NO_ENTRY 2    /* no entry at all */
#define OTHER_MAJOR 3 /* the right entry, another version inside */
#define UNDEFINED 4   /* a symbol that nobody has */
#define NO_TABLE 5    /* a transform without functions */
#define TAKEN 6       /* the name of a built-in operator */
#define TWIN_A 7      /* two plugins with one name in them */
#define TWIN_B 8
#define NOTHING 9      /* the entry gives back null */
#define HALF_WRITER 10 /* a format that makes writers and cannot write */
#define FAR_FILES 11   /* a format whose files would be elsewhere */

static const flowrun_option_spec primary = {
    .size = sizeof primary, .kind = FLOWRUN_OPTION_TEXT, .name = "twin"};
static const flowrun_spec spec = {.size = sizeof spec,
                                  .name = WHAT == TAKEN ? "select" : "twin",
                                  .summary = "Passes rows on.",
                                  .primary = &primary};

static flowrun_code make(const flowrun_make* options, void** self, flowrun_error* error) {
  (void)options, (void)error;
  *self = (void*)&spec;
  return FLOWRUN_OK;
}
static void destroy(void* self) { (void)self; }
static flowrun_code bind(void* self, const struct ArrowSchema* input, struct ArrowSchema* outputs,
                         flowrun_error* error) {
  (void)self, (void)input, (void)outputs, (void)error;
  return FLOWRUN_DATA;
}
static flowrun_code apply(const void* self, void* scratch, const flowrun_epoch* epoch,
                          struct ArrowArray* batch, const flowrun_emitter* out,
                          flowrun_error* error) {
  (void)self, (void)scratch, (void)epoch;
  return out->emit(out->context, 0, NULL, batch, error);
}
static const flowrun_transform table = {.size = sizeof table,
                                        .make = make,
                                        .destroy = destroy,
                                        .bind = bind,
                                        .apply = WHAT == NO_TABLE ? NULL : apply};
static flowrun_code make_writer(const void* self, const struct ArrowSchema* schema, void** writer,
                                flowrun_error* error) {
  (void)self, (void)schema, (void)writer, (void)error;
  return FLOWRUN_DATA;
}
static flowrun_code write_rows(void* writer, struct ArrowArray* batch, const flowrun_output* out,
                               flowrun_error* error) {
  (void)writer, (void)batch;
  return out->append(out->context, "row", 3, error);
}
static const flowrun_format format = {.size = sizeof format,
                                      .make = make,
                                      .destroy = destroy,
                                      .extension = WHAT == FAR_FILES ? "../log" : NULL,
                                      .make_writer = make_writer,
                                      .destroy_writer = destroy,
                                      .write = WHAT == HALF_WRITER ? NULL : write_rows};
#define IS_FORMAT (WHAT == HALF_WRITER || WHAT == FAR_FILES)
static const flowrun_component component = {
    .size = sizeof component,
    .kind = IS_FORMAT ? FLOWRUN_KIND_FORMAT : FLOWRUN_KIND_TRANSFORM,
    .spec = &spec,
    .table = IS_FORMAT ? (const void*)&format : (const void*)&table};
static const flowrun_component* const components[] = {&component};
const flowrun_plugin described = {.size = sizeof described,
                                  .abi_major = WHAT == OTHER_MAJOR ? 7 : FLOWRUN_PLUGIN_ABI_MAJOR,
                                  .name = WHAT == TWIN_B ? "twin_b" : "twin_a",
                                  .version = "1.0.0",
                                  .components = components,
                                  .num_components = 1};

#if WHAT == OTHER_ABI
FLOWRUN_PLUGIN_EXPORT int flowrun_plugin_v2(void) { return 0; }
#elif WHAT == UNDEFINED
extern int a_function_that_nobody_has(void);
FLOWRUN_PLUGIN_EXPORT const flowrun_plugin* FLOWRUN_PLUGIN_ENTRY(const flowrun_host* host) {
  return host && a_function_that_nobody_has() ? &described : NULL;
}
#elif WHAT != NO_ENTRY
FLOWRUN_PLUGIN_EXPORT const flowrun_plugin* FLOWRUN_PLUGIN_ENTRY(const flowrun_host* host) {
  (void)host;
  return WHAT == NOTHING ? NULL : &described;
}
#endif
