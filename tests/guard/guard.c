/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A module of a device, as backend/backend.h wants it, around the CPU's.
 */
#define _GNU_SOURCE 1 /* MAP_ANONYMOUS, MAP_NORESERVE */
#include "guard.h"

#include "backend/cpu/cpu.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CANARY = 0xa5, FRESH = 0xff, ALIGN = 64 };

/* `bytes` stand at the end of `room` bytes that are whole pages, which an unmapped page precedes and follows. */
struct buffer {
    struct buffer *next;
    unsigned char *seen, *memory, *map; /* what the host holds; what that stands for; what memory lies in */
    size_t bytes, room;
};

struct guard {
    struct mdm_backend base;
    struct mdm_backend *cpu;
    const struct mdm_device_host *host;
    pthread_mutex_t lock; /* of the list and the kernels */
    pid_t maker;
    struct buffer *all;
    struct mdm_kernel kernel[2][MDM_OP_COUNT];
    double *late; /* losses that were not collected yet */
    int64_t late_count;
};

static struct guard *guard_of(struct mdm_backend *b)
{
    return (struct guard *)b;
}

static _Noreturn void die(const char *format, ...) MDM_PRINTF(1, 2);

static _Noreturn void die(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fputs("guarded device: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    abort();
}

/* In a forked child nobody would give back a lock that another thread held, and nothing runs beside the caller. */
static int is_child(const struct guard *g)
{
    return getpid() != g->maker;
}

static void lock(struct guard *g)
{
    if (!is_child(g))
        pthread_mutex_lock(&g->lock);
}

static void unlock(struct guard *g)
{
    if (!is_child(g))
        pthread_mutex_unlock(&g->lock);
}

/* Where [seen, seen + bytes) really lies. */
static void *lead(struct guard *g, const char *what, const void *seen, size_t bytes)
{
    const unsigned char *p = seen;
    unsigned char *memory = NULL;
    struct buffer *b;

    if (!p || !bytes)
        return (void *)(uintptr_t)seen;
    lock(g);
    for (b = g->all; b && !memory; b = b->next)
        if (p >= b->seen && p < b->seen + b->bytes) {
            if (bytes > b->bytes - (size_t)(p - b->seen))
                die("%s: %zu bytes at %zu of a buffer of %zu", what, bytes, (size_t)(p - b->seen), b->bytes);
            memory = b->memory + (p - b->seen);
        }
    unlock(g);
    if (!memory)
        die("%s: %p is no device memory", what, seen);
    return memory;
}

#define LEAD(guard, pointer, bytes) ((pointer) = lead((guard), #pointer, (pointer), (bytes)))

/* ---- memory ---- */

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static int take(struct mdm_backend *backend, void **out, size_t bytes, const char *what)
{
    struct guard *g = guard_of(backend);
    const size_t page = page_size(), whole = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    struct buffer *b = g->host->need(1, sizeof *b, what);

    *out = NULL;
    if (!b)
        return MASKDM_ENOMEM;
    b->bytes = bytes;
    b->room = (whole / page + 1) * page;
    b->seen = mmap(NULL, b->room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    b->map = mmap(NULL, b->room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (b->seen == MAP_FAILED || b->map == MAP_FAILED || mprotect(b->map + page, b->room, PROT_READ | PROT_WRITE)) {
        if (b->seen != MAP_FAILED)
            munmap(b->seen, b->room);
        if (b->map != MAP_FAILED)
            munmap(b->map, b->room + 2 * page);
        g->host->free(b);
        return g->host->record(MASKDM_ENOMEM, "cannot map %zu bytes for %s", bytes, what);
    }
    b->memory = b->map + page + b->room - whole;
    memset(b->map + page, CANARY, b->room);
    memset(b->memory, FRESH, bytes);
    lock(g);
    b->next = g->all;
    g->all = b;
    unlock(g);
    *out = b->seen;
    return MASKDM_OK;
}

/* Nobody wrote before the first byte, nor behind the last where that is not the end of the page. */
static void check_canary(const struct buffer *b)
{
    const unsigned char *first = b->map + page_size(), *end = first + b->room;

    for (const unsigned char *p = first; p < end; p = p + 1 == b->memory ? b->memory + b->bytes : p + 1)
        if (*p != CANARY)
            die("a buffer of %zu bytes was left at byte %td", b->bytes, p - b->memory);
}

static void give(struct mdm_backend *backend, void *memory)
{
    struct guard *g = guard_of(backend);
    struct buffer **at = &g->all, *b;

    if (!memory)
        return;
    lock(g);
    while (*at && (*at)->seen != memory)
        at = &(*at)->next;
    b = *at;
    if (b)
        *at = b->next;
    unlock(g);
    if (!b)
        die("%p is given back, which is no buffer", memory);
    check_canary(b);
    munmap(b->seen, b->room);
    munmap(b->map, b->room + 2 * page_size());
    g->host->free(b);
}

static int upload(struct mdm_backend *b, void *device, const void *host, size_t bytes)
{
    struct guard *g = guard_of(b);

    return g->cpu->v->upload(g->cpu, LEAD(g, device, bytes), host, bytes);
}

static int download(struct mdm_backend *b, void *host, const void *device, size_t bytes)
{
    struct guard *g = guard_of(b);

    return g->cpu->v->download(g->cpu, host, LEAD(g, device, bytes), bytes);
}

static int copy(struct mdm_backend *b, void *to, const void *from, size_t bytes)
{
    struct guard *g = guard_of(b);

    LEAD(g, to, bytes);
    LEAD(g, from, bytes);
    if ((const char *)to < (const char *)from + bytes && (const char *)from < (const char *)to + bytes)
        die("a copy of %zu bytes onto itself", bytes);
    return g->cpu->v->copy(g->cpu, to, from, bytes);
}

static int fill(struct mdm_backend *b, void *device, int byte, size_t bytes)
{
    struct guard *g = guard_of(b);

    return g->cpu->v->fill(g->cpu, LEAD(g, device, bytes), byte, bytes);
}

/* ---- jobs ---- */

static int normal(struct mdm_backend *b, float *out, int64_t batch, int64_t n, const struct mdm_rng *stream)
{
    struct guard *g = guard_of(b);

    return g->cpu->v->normal(g->cpu, LEAD(g, out, (size_t)(batch * n) * sizeof *out), batch, n, stream);
}

static int noising(struct mdm_backend *b, const struct mdm_noising *job)
{
    struct guard *g = guard_of(b);
    struct mdm_noising j = *job;
    const size_t bytes = (size_t)(j.batch * j.n) * sizeof *j.x0;

    LEAD(g, j.x0, bytes);
    LEAD(g, j.eps, bytes);
    LEAD(g, j.x_t, bytes);
    LEAD(g, j.target, bytes);
    return g->cpu->v->noising(g->cpu, &j);
}

static int mix(struct mdm_backend *b, const struct mdm_mix *job)
{
    struct guard *g = guard_of(b);
    struct mdm_mix j = *job;
    const size_t bytes = (size_t)j.n * sizeof *j.y;

    for (int i = 0; i < j.count; i++)
        LEAD(g, j.x[i], bytes);
    LEAD(g, j.y, bytes);
    return g->cpu->v->mix(g->cpu, &j);
}

static int solve(struct mdm_backend *b, const struct mdm_solve *job)
{
    struct guard *g = guard_of(b);
    struct mdm_solve j = *job;
    const size_t bytes = (size_t)j.n * sizeof *j.x;

    LEAD(g, j.x, bytes);
    LEAD(g, j.f, bytes);
    for (int k = 0; k < MDM_BEFORE; k++)
        LEAD(g, j.before[k], bytes);
    LEAD(g, j.z, bytes);
    LEAD(g, j.spread, bytes);
    LEAD(g, j.start, bytes);
    LEAD(g, j.x0, bytes);
    return g->cpu->v->solve(g->cpu, &j);
}

static int quantile(struct mdm_backend *b, const struct mdm_quantile *job)
{
    struct guard *g = guard_of(b);
    struct mdm_quantile j = *job;
    const size_t bytes = (size_t)(j.batch * j.n) * sizeof *j.x;

    LEAD(g, j.x, bytes);
    LEAD(g, j.f, bytes);
    return g->cpu->v->quantile(g->cpu, &j);
}

/* Bytes from the first of `count` runs of `own` values, `apart` (0: as many) from one to the next, to the last. */
static size_t reach(int64_t count, int64_t apart, int64_t own)
{
    return (size_t)((count - 1) * (apart ? apart : own) + own) * sizeof(float);
}

static int loss(struct mdm_backend *b, const struct mdm_loss *job)
{
    struct guard *g = guard_of(b);
    struct mdm_loss j = *job;
    const int64_t own = j.visible * j.patch * j.patch * (j.outputs ? j.outputs : j.channels);
    const size_t bytes = reach(j.batch, j.beside.pred, own);

    LEAD(g, j.pred, bytes);
    LEAD(g, j.dpred, bytes);
    LEAD(g, j.target, reach(j.batch * j.height * j.width, j.beside.channels, j.channels));
    if (j.late) {
        g->host->free(g->late);
        g->late = g->host->need((size_t)j.batch, sizeof *g->late, "losses");
        g->late_count = g->late ? j.batch : 0;
        j.loss = g->late;
    }
    return j.loss ? g->cpu->v->loss(g->cpu, &j) : MASKDM_ENOMEM;
}

static int collect(struct mdm_backend *b, double *to, int64_t batch)
{
    struct guard *g = guard_of(b);

    if (batch != g->late_count)
        die("%lld losses are collected, of %lld", (long long)batch, (long long)g->late_count);
    memcpy(to, g->late, (size_t)batch * sizeof *to);
    g->late_count = 0;
    return MASKDM_OK;
}

static int sum_squares(struct mdm_backend *b, double *out, const float *x, size_t n)
{
    struct guard *g = guard_of(b);

    return g->cpu->v->sum_squares(g->cpu, out, LEAD(g, x, n * sizeof *x), n);
}

static int adamw(struct mdm_backend *b, const struct mdm_optimizer *job)
{
    struct guard *g = guard_of(b);
    struct mdm_optimizer j = *job;
    const size_t bytes = j.n * sizeof *j.w;

    LEAD(g, j.w, bytes);
    LEAD(g, j.g, bytes);
    LEAD(g, j.m, bytes);
    LEAD(g, j.v, bytes);
    LEAD(g, j.ema, bytes);
    return g->cpu->v->adamw(g->cpu, &j);
}

static size_t muon_scratch(const struct mdm_backend *b, const struct mdm_muon *job)
{
    const struct guard *g = guard_of((struct mdm_backend *)b);

    return g->cpu->v->muon_scratch(g->cpu, job);
}

/* Its blocks as far as the last matrix goes. */
static int muon(struct mdm_backend *b, const struct mdm_muon *job)
{
    struct guard *g = guard_of(b);
    struct mdm_muon j = *job;
    size_t bytes = 0;

    for (int64_t i = 0; i < j.count; i++) {
        const size_t end = (j.matrix[i].at + (size_t)(j.matrix[i].rows * j.matrix[i].columns)) * sizeof *j.w;

        bytes = end > bytes ? end : bytes;
    }
    LEAD(g, j.w, bytes);
    LEAD(g, j.g, bytes);
    LEAD(g, j.m, bytes);
    LEAD(g, j.scratch, muon_scratch(b, job));
    return g->cpu->v->muon(g->cpu, &j);
}

static int ema(struct mdm_backend *b, float *average, const float *w, size_t n, int mode, double decay)
{
    struct guard *g = guard_of(b);

    LEAD(g, average, n * sizeof *average);
    LEAD(g, w, n * sizeof *w);
    return g->cpu->v->ema(g->cpu, average, w, n, mode, decay);
}

static int unpatchify(struct mdm_backend *b, const struct mdm_unpatchify *job)
{
    struct guard *g = guard_of(b);
    struct mdm_unpatchify j = *job;
    const int64_t pixels = j.height * j.width;

    LEAD(g, j.image, reach(j.batch * pixels, j.beside.channels, j.channels));
    LEAD(g, j.pred,
         reach(j.batch, j.beside.pred ? j.beside.pred : pixels * j.outputs, (pixels - 1) * j.outputs + j.channels));
    return g->cpu->v->unpatchify(g->cpu, &j);
}

/* ---- kernels ---- */

static const struct mdm_kernel *real_kernel(struct guard *g, const struct mdm_call *c)
{
    return g->cpu->v->kernel(g->cpu, c->op, c->dtype);
}

/* Bytes of a value, at the least: an index has four an element, a stored weight two. */
static size_t least(const struct mdm_call *c, const struct mdm_shape *s)
{
    const size_t each = c->stored != MDM_F32 ? 2 : c->dtype == MDM_F64 ? 4 : mdm_dtype_size(c->dtype);

    return s ? (size_t)mdm_shape_numel(s) * each : 0;
}

static struct mdm_call lead_call(struct guard *g, const struct mdm_call *call)
{
    struct mdm_call c = *call;

    for (int k = 0; k < MDM_MAX_IN; k++) {
        LEAD(g, c.in[k], least(&c, c.in_shape[k]));
        LEAD(g, c.din[k], least(&c, c.in_shape[k]));
    }
    for (int k = 0; k < MDM_MAX_OUT; k++) {
        LEAD(g, c.out[k], least(&c, c.out_shape[k]));
        LEAD(g, c.dout[k], least(&c, c.out_shape[k]));
    }
    LEAD(g, c.scratch, 1);
    return c;
}

static int forward(struct mdm_backend *b, const struct mdm_call *call)
{
    const struct mdm_call c = lead_call(guard_of(b), call);

    return real_kernel(guard_of(b), &c)->forward(guard_of(b)->cpu, &c);
}

static int backward(struct mdm_backend *b, const struct mdm_call *call)
{
    const struct mdm_call c = lead_call(guard_of(b), call);

    return real_kernel(guard_of(b), &c)->backward(guard_of(b)->cpu, &c);
}

static int remake(struct mdm_backend *b, const struct mdm_call *call)
{
    const struct mdm_call c = lead_call(guard_of(b), call);

    return real_kernel(guard_of(b), &c)->remake(guard_of(b)->cpu, &c);
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    struct guard *g = guard_of((struct mdm_backend *)(uintptr_t)b);

    return real_kernel(g, c)->scratch(g->cpu, c, train);
}

/* What the CPU has none of, the guard has none of. */
static const struct mdm_kernel *find_kernel(struct mdm_backend *b, enum mdm_op_id op, enum mdm_dtype dtype)
{
    struct guard *g = guard_of(b);
    const struct mdm_kernel *cpu = g->cpu->v->kernel(g->cpu, op, dtype);
    struct mdm_kernel *k;

    if (!cpu)
        return NULL;
    k = &g->kernel[dtype == MDM_F64][op];
    lock(g);
    k->forward = cpu->forward ? forward : NULL;
    k->backward = cpu->backward ? backward : NULL;
    k->scratch = cpu->scratch ? scratch : NULL;
    k->remake = cpu->remake ? remake : NULL;
    unlock(g);
    return k;
}

/* ---- the rest is the CPU's ---- */

static const char *describe(struct mdm_backend *b)
{
    return guard_of(b)->cpu->v->describe(guard_of(b)->cpu);
}

static const char *warning(struct mdm_backend *b)
{
    return guard_of(b)->cpu->v->warning(guard_of(b)->cpu);
}

static int wait_for_all(struct mdm_backend *b)
{
    return guard_of(b)->cpu->v->wait(guard_of(b)->cpu);
}

static int loop(struct mdm_backend *b, int64_t n, mdm_try_body body, void *arg)
{
    return guard_of(b)->cpu->v->loop(guard_of(b)->cpu, n, body, arg);
}

static void enter(struct mdm_backend *b)
{
    guard_of(b)->cpu->v->enter(guard_of(b)->cpu);
}

static void leave(struct mdm_backend *b)
{
    guard_of(b)->cpu->v->leave(guard_of(b)->cpu);
}

static void close_guard(struct mdm_backend *b)
{
    struct guard *g = guard_of(b);

    if (g->all && !is_child(g))
        die("the device closes with %zu bytes that nobody gave back", g->all->bytes);
    g->cpu->v->close(g->cpu);
    g->host->free(g->late);
    if (!is_child(g))
        pthread_mutex_destroy(&g->lock);
    g->host->free(g);
}

static const struct mdm_backend_vtbl vtbl = {
    .version = MDM_BACKEND_VERSION,
    .size = sizeof vtbl,
    .name = "cpu",
    .describe = describe,
    .warning = warning,
    .alloc = take,
    .release = give,
    .upload = upload,
    .download = download,
    .copy = copy,
    .fill = fill,
    .wait = wait_for_all,
    .normal = normal,
    .noising = noising,
    .mix = mix,
    .solve = solve,
    .quantile = quantile,
    .loss = loss,
    .sum_squares = sum_squares,
    .adamw = adamw,
    .ema = ema,
    .unpatchify = unpatchify,
    .kernel = find_kernel,
    .loop = loop,
    .enter = enter,
    .leave = leave,
    .close = close_guard,
    .muon = muon,
    .muon_scratch = muon_scratch,
    .asynchronous = 1, /* which it is not: so what is done ahead is done */
    .collect = collect,
    .reads_stored = 1,
};

static int open_guard(struct mdm_backend **out, const struct mdm_device_host *host,
                      const struct mdm_device_settings *settings)
{
    struct guard *g = host->need(1, sizeof *g, "the device");
    int status;

    *out = NULL;
    if (!g)
        return MASKDM_ENOMEM;
    status = mdm_cpu_open(&g->cpu, settings);
    if (status < 0) {
        host->free(g);
        return status;
    }
    g->base.v = &vtbl;
    g->host = host;
    g->maker = getpid();
    pthread_mutex_init(&g->lock, NULL);
    *out = &g->base;
    return MASKDM_OK;
}

const struct mdm_device_module guard_module = {"cpu", &vtbl, open_guard};

__attribute__((constructor)) static void stand_in_front(void)
{
    mdm_registry_add(&guard_module);
}
