/* A hook in C: what plugin.hpp does for C++ authors, by hand. Counts the recordings that were stored. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <tapedeck/abi.h>

typedef struct counter {
    const td_host* host;
    const td_context* context;
    atomic_uint stored; /* events come on several threads */
} counter;

static td_status fail(td_error* error, td_status status, const char* text) {
    error->status = status;
    snprintf(error->text, sizeof error->text, "%s", text);
    return status;
}

static td_status create(const td_host* host, const td_context* context, void** self, td_error* error) {
    counter* made = calloc(1, sizeof *made);
    if (made == NULL) return fail(error, TD_NO_MEMORY, "out of memory");
    made->host = host;
    made->context = context;
    *self = made;
    return TD_OK;
}

static td_status on_event(void* self, const td_event* event, td_error* error) {
    (void)error;
    counter* counted = self;
    if (event->kind != TD_RECORD_STORED) return TD_OK;
    char line[64];
    const int size = snprintf(line, sizeof line, "%u recordings stored", atomic_fetch_add(&counted->stored, 1) + 1);
    counted->host->log(counted->context, TD_LOG_INFO, (td_text){line, (size_t)size});
    return TD_OK;
}

static const td_hook table = {.size = sizeof(td_hook), .create = create, .event = on_event, .destroy = free};

static const td_extension extension = {.size = sizeof(td_extension),
                                       .interface_id = TD_KIND_HOOK,
                                       .id = "count",
                                       .doc = "Counts recordings",
                                       .table = &table};
static const td_extension* const extensions[] = {&extension};

extern __attribute__((visibility("default"))) const td_plugin TD_ENTRY;
const td_plugin TD_ENTRY = {.size = sizeof(td_plugin),
                            .sdk_major = TD_SDK_MAJOR,
                            .sdk_minor = TD_SDK_MINOR,
                            .needs_minor = TD_SDK_TARGET_MINOR,
                            .name = "hook-in-c",
                            .version = "1.0.0",
                            .vendor = "example.org",
                            .license = "MIT",
                            .doc = "A hook written in C",
                            .extensions = extensions,
                            .extension_count = 1};
