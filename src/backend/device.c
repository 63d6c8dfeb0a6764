/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The device handle: reference count, memory account, and the turns that handles take.
 */
#include "backend/device.h"
#include "backend/options.h"
#include "backend/registry.h"
#include "backend/turn.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/handle.h"
#include "base/maker.h"
#include "os/cores.h"

#include <string.h>

struct maskdm_device {
    struct mdm_handle handle;
    struct mdm_backend *backend;
    atomic_size_t used, peak;
    size_t limit; /* bytes, 0: none */
    int workers;
    int rounds; /* products of float are of factors that have fewer bits */
    enum mdm_dtype stored;
    int keeps;
    char text[2 * MDM_ERROR_TEXT];
    struct mdm_turn turn;
};

static void read_options(struct mdm_device_settings *s, const struct mdm_device_options *told)
{
    if (!s->workers)
        s->workers = told->threads > 0 ? (int)told->threads : mdm_core_count();
    s->guard = told->blas_threads == MDM_BLAS_GUARD;
    s->instruction_set = mdm_instruction_set(told->instruction_set);
    s->module = told->module;
    s->compute = told->compute;
}

static void destroy(void *object)
{
    maskdm_device *d = object;

    d->backend->v->close(d->backend);
    if (mdm_maker_is_here(d->handle.process))
        mdm_turn_free(&d->turn);
    mdm_free(d);
}

static const struct mdm_handle_kind kind = {"device", destroy};

static int check_stored(const struct mdm_backend *b, enum mdm_dtype type)
{
    if (type == MDM_F32 || b->v->reads_stored)
        return MASKDM_OK;
    return mdm_fail(MASKDM_ENOTSUP, "weight_type is for the device \"cpu\": \"%s\" keeps weights in float32 alone",
                    b->v->name);
}

static int make_device(maskdm_device **out, const char *name, struct mdm_device_settings *s,
                       const struct mdm_device_options *told, const char *why)
{
    maskdm_device *d = mdm_need(1, sizeof *d, "the device");
    int status;

    if (!d)
        return MASKDM_ENOMEM;
    status = mdm_registry_open(&d->backend, name, s);
    if (!status && check_stored(d->backend, mdm_weight_types[told->weight_type]) < 0) {
        d->backend->v->close(d->backend);
        status = MASKDM_ENOTSUP;
    }
    if (status) {
        mdm_free(d);
        return status;
    }
    mdm_handle_init(&d->handle, &kind);
    d->limit = (size_t)told->memory_limit;
    d->stored = mdm_weight_types[told->weight_type];
    d->keeps = told->recompute == MDM_RECOMPUTE_AUTO ? d->backend->v->keeps : told->recompute == MDM_RECOMPUTE_NO;
    d->workers = s->workers;
    d->rounds = s->compute == MDM_COMPUTE_TF32;
    mdm_format(d->text, sizeof d->text, "%s%s", d->backend->v->describe(d->backend), why);
    mdm_turn_init(&d->turn);
    *out = d;
    return MASKDM_OK;
}

/* The first GPU, where it can be used, or else the CPU; its description says why. */
static int choose_device(maskdm_device **out, struct mdm_device_settings *s, const struct mdm_device_options *told)
{
    struct mdm_failure gpu, cpu;
    char why[MDM_ERROR_TEXT];
    int status = make_device(out, "cuda:0", s, told, " (auto)");

    if (!status)
        return MASKDM_OK;
    mdm_failure_take(&gpu, status);
    mdm_format(why, sizeof why, " (auto: %s)", gpu.text);
    status = make_device(out, "cpu", s, told, why);
    if (!status)
        return MASKDM_OK;
    mdm_failure_take(&cpu, status);
    return mdm_fail(status, "%s; and of \"cuda:0\": %s", cpu.text, gpu.text);
}

int mdm_backend_open(maskdm_device **out, const char *name, const maskdm_options *options,
                     maskdm_parallel_callback host, int64_t workers, void *host_user)
{
    struct mdm_device_settings s = {.host = host, .host_user = host_user};
    maskdm_options *own = NULL;
    struct mdm_device_options told;
    int status;

    *out = NULL;
    if (host && (workers < 1 || workers > 1024))
        return mdm_fail(MASKDM_EINVAL, "%ld workers are not in 1 to 1024", (long)workers);
    if (host)
        s.workers = (int)workers;
    status =
        options ? mdm_options_extract(&own, options, &mdm_device_kind) : mdm_options_create(&own, &mdm_device_kind);
    if (!status) {
        mdm_options_read(own, &mdm_device_options, &told);
        read_options(&s, &told);
        status = strcmp(name, "auto") == 0 ? choose_device(out, &s, &told) : make_device(out, name, &s, &told, "");
    }
    mdm_options_release(&own);
    return status;
}

void mdm_device_hold(maskdm_device *d)
{
    mdm_handle_hold(&d->handle);
}

void mdm_device_drop(maskdm_device **device)
{
    maskdm_device *d = device ? *device : NULL;

    if (!d)
        return;
    *device = NULL;
    mdm_handle_drop(&d->handle);
}

struct mdm_backend *mdm_device_backend(maskdm_device *d)
{
    return d->backend;
}

struct mdm_handle *mdm_device_handle(maskdm_device *d)
{
    return &d->handle;
}

/* ---- memory ---- */

int mdm_device_take(maskdm_device *d, size_t bytes, const char *what)
{
    size_t used = atomic_load(&d->used), peak;

    MDM_TRY(mdm_maker_check(d->handle.process, "the device"));
    do {
        size_t most = d->limit ? d->limit : SIZE_MAX;
        if (used > most || bytes > most - used)
            return mdm_fail(MASKDM_ENOMEM, "%zu bytes for %s, but %zu of the %zu allowed are in use", bytes, what,
                            used, most);
    } while (!atomic_compare_exchange_weak(&d->used, &used, used + bytes));
    used += bytes;
    peak = atomic_load(&d->peak);
    while (peak < used && !atomic_compare_exchange_weak(&d->peak, &peak, used))
        continue;
    return MASKDM_OK;
}

void mdm_device_give(maskdm_device *d, size_t bytes)
{
    atomic_fetch_sub(&d->used, bytes);
}

int mdm_device_alloc(maskdm_device *d, void **out, size_t bytes, int zero, const char *what)
{
    int status;

    *out = NULL;
    MDM_TRY(mdm_device_take(d, bytes, what));
    status = d->backend->v->alloc(d->backend, out, bytes, what);
    if (!status && zero) {
        status = d->backend->v->fill(d->backend, *out, 0, bytes);
        if (status)
            d->backend->v->release(d->backend, *out);
    }
    if (status) {
        *out = NULL;
        mdm_device_give(d, bytes);
    }
    return status;
}

void mdm_device_free(maskdm_device *d, void *memory, size_t bytes)
{
    if (!memory)
        return;
    d->backend->v->release(d->backend, memory);
    mdm_device_give(d, bytes);
}

int mdm_device_upload(maskdm_device *d, void *device, const void *host, size_t bytes)
{
    MDM_TRY(mdm_maker_check(d->handle.process, "the device"));
    return d->backend->v->upload(d->backend, device, host, bytes);
}

int mdm_device_download(maskdm_device *d, void *host, const void *device, size_t bytes)
{
    MDM_TRY(mdm_maker_check(d->handle.process, "the device"));
    return d->backend->v->download(d->backend, host, device, bytes);
}

int mdm_device_copy(maskdm_device *d, void *to, const void *from, size_t bytes)
{
    MDM_TRY(mdm_maker_check(d->handle.process, "the device"));
    return d->backend->v->copy(d->backend, to, from, bytes);
}

int mdm_device_fill(maskdm_device *d, void *memory, int byte, size_t bytes)
{
    MDM_TRY(mdm_maker_check(d->handle.process, "the device"));
    return d->backend->v->fill(d->backend, memory, byte, bytes);
}

/* ---- work ---- */

int mdm_device_enter(maskdm_device *d)
{
    MDM_TRY(mdm_maker_check(d->handle.process, "the device"));
    mdm_turn_enter(&d->turn);
    if (d->backend->v->enter)
        d->backend->v->enter(d->backend);
    return MASKDM_OK;
}

void mdm_device_leave(maskdm_device *d)
{
    if (d->backend->v->leave)
        d->backend->v->leave(d->backend);
    mdm_turn_leave(&d->turn);
}

int mdm_device_loop(maskdm_device *d, int64_t n, mdm_try_body body, void *arg)
{
    if (!d->backend->v->loop)
        return mdm_pool_try(NULL, n, body, arg);
    return d->backend->v->loop(d->backend, n, body, arg);
}

/* ---- facts ---- */

size_t mdm_device_used(const maskdm_device *d)
{
    return atomic_load(&d->used);
}

size_t mdm_device_peak(const maskdm_device *d)
{
    return atomic_load(&d->peak);
}

size_t mdm_device_limit(const maskdm_device *d)
{
    return d->limit;
}

const char *mdm_device_text(const maskdm_device *d)
{
    return d->text;
}

int mdm_device_rounds(const maskdm_device *d)
{
    return d->rounds;
}

int mdm_device_keeps(const maskdm_device *d)
{
    return d->keeps;
}

enum mdm_dtype mdm_device_stored(const maskdm_device *d)
{
    return d->stored;
}

int mdm_device_workers(const maskdm_device *d)
{
    return d->workers;
}
