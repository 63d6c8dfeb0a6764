/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory of the device, scratch of jobs, and the turn.
 */
#include "backend/cuda/memory.cuh"
#include "backend/cuda/table.cuh"

#include <unistd.h>

static const size_t LEAST_SCRATCH = 1 << 20;

/* ---- the turn ---- */

static const void *this_thread(void)
{
    static __thread char here;

    return &here;
}

int mdm_cuda_is_here(const struct mdm_cuda *d)
{
    return d->memory->process == (long)getpid();
}

void mdm_cuda_enter(struct mdm_backend *b)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct mdm_cuda_memory *m = d->memory;

    if (m->depth++ > 0)
        return;
    __atomic_store_n(&m->turn, this_thread(), __ATOMIC_RELAXED);
    m->pushed = mdm_cuda_push(d);
}

void mdm_cuda_leave(struct mdm_backend *b)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct mdm_cuda_memory *m = d->memory;

    if (--m->depth > 0)
        return;
    if (m->pushed)
        mdm_cuda_pop(d);
    __atomic_store_n(&m->turn, (const void *)NULL, __ATOMIC_RELAXED);
}

int mdm_cuda_is_mine(const struct mdm_cuda *d)
{
    return __atomic_load_n(&d->memory->turn, __ATOMIC_RELAXED) == this_thread();
}

int mdm_cuda_lock(struct mdm_cuda *d)
{
    struct mdm_cuda_memory *m = d->memory;

    if (mdm_cuda_is_mine(d) || __atomic_load_n(&m->noting, __ATOMIC_RELAXED) == this_thread())
        return 0;
    (void)pthread_mutex_lock(&m->stream);
    return 1;
}

void mdm_cuda_unlock(struct mdm_cuda *d, int locked)
{
    if (locked)
        (void)pthread_mutex_unlock(&d->memory->stream);
}

void mdm_cuda_note_begin(struct mdm_cuda *d)
{
    (void)pthread_mutex_lock(&d->memory->stream);
    __atomic_store_n(&d->memory->noting, this_thread(), __ATOMIC_RELAXED);
}

void mdm_cuda_note_end(struct mdm_cuda *d)
{
    __atomic_store_n(&d->memory->noting, (const void *)NULL, __ATOMIC_RELAXED);
    (void)pthread_mutex_unlock(&d->memory->stream);
}

/* ---- memory ---- */

int mdm_cuda_no_room(struct mdm_cuda *d, size_t bytes, const char *what)
{
    size_t left = 0, all = 0;

    (void)cudaMemGetInfo(&left, &all);
    (void)cudaGetLastError();
    return d->host->record(MASKDM_ENOMEM, "cuda:%d has no %zu bytes for %s: of %zu there are %zu left", d->unit,
                           bytes, what, all, left);
}

int mdm_cuda_take(struct mdm_cuda *d, void **out, size_t bytes, const char *what)
{
    cudaError_t e = cudaMalloc(out, bytes ? bytes : 1);

    if (e == cudaSuccess)
        return MASKDM_OK;
    *out = NULL;
    return e == cudaErrorMemoryAllocation ? mdm_cuda_no_room(d, bytes, what) : mdm_cuda_check(d, e, what);
}

int mdm_cuda_take_pinned(struct mdm_cuda *d, void **out, size_t bytes)
{
    cudaError_t e = cudaHostAlloc(out, bytes, cudaHostAllocDefault);

    if (e == cudaSuccess)
        return MASKDM_OK;
    *out = NULL;
    if (e != cudaErrorMemoryAllocation)
        return mdm_cuda_check(d, e, "pinning memory of the host");
    (void)cudaGetLastError();
    return d->host->record(MASKDM_ENOMEM, "cannot pin %zu bytes of the host's memory for transfers to cuda:%d", bytes,
                           d->unit);
}

int mdm_cuda_make_event(struct mdm_cuda *d, cudaEvent_t *out, int sleeps)
{
    const unsigned flags = cudaEventDisableTiming | (sleeps ? cudaEventBlockingSync : 0);

    return mdm_cuda_check(d, cudaEventCreateWithFlags(out, flags), "making an event");
}

int mdm_cuda_alloc(struct mdm_backend *b, void **out, size_t bytes, const char *what)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    mdm_cuda_here here(d);
    const int locked = mdm_cuda_lock(d), status = mdm_cuda_take(d, out, bytes, what);

    mdm_cuda_unlock(d, locked);
    return status;
}

/* Work that is queued may still use it. */
void mdm_cuda_release(struct mdm_backend *b, void *memory)
{
    struct mdm_cuda *d = mdm_cuda_of(b);

    if (!memory || !mdm_cuda_is_here(d))
        return;
    (void)mdm_cuda_wait(b);
    mdm_cuda_here here(d);
    const int locked = mdm_cuda_lock(d);

    (void)cudaFree(memory);
    (void)cudaGetLastError();
    mdm_cuda_unlock(d, locked);
}

int mdm_cuda_scratch(struct mdm_cuda *d, int slot, size_t bytes, void **out)
{
    void *old = d->memory->scratch[slot].memory;
    size_t room = d->memory->scratch[slot].bytes;

    if (bytes > room) {
        room = room < LEAST_SCRATCH / 2 ? LEAST_SCRATCH : 2 * room;
        room = room < bytes ? bytes : room;
        d->memory->scratch[slot].memory = NULL;
        d->memory->scratch[slot].bytes = 0;
        mdm_cuda_release(&d->base, old);
        MDM_CUDA_TRY(mdm_cuda_alloc(&d->base, &d->memory->scratch[slot].memory, room, "a job's scratch"));
        d->memory->scratch[slot].bytes = room;
    }
    *out = d->memory->scratch[slot].memory;
    return MASKDM_OK;
}

/* ---- opening ---- */

int mdm_cuda_memory_open(struct mdm_cuda *d)
{
    struct mdm_cuda_memory *m = (struct mdm_cuda_memory *)d->host->need(1, sizeof *m, "the device");

    if (!m)
        return MASKDM_ENOMEM;
    d->memory = m;
    m->process = (long)getpid();
    (void)pthread_mutex_init(&m->stream, NULL);
    (void)pthread_mutex_init(&m->lane, NULL);
    (void)pthread_mutex_init(&m->ring, NULL);
    m->their_lane.waits = 1;
    return MASKDM_OK;
}

void mdm_cuda_memory_close(struct mdm_cuda *d)
{
    struct mdm_cuda_memory *m = d->memory;

    for (int i = 0; i < MDM_CUDA_SLOTS; i++)
        (void)cudaFree(m->scratch[i].memory);
    mdm_cuda_lane_close(&m->my_lane);
    mdm_cuda_lane_close(&m->their_lane);
    mdm_cuda_ring_close(&m->my_ring);
    mdm_cuda_ring_close(&m->their_ring);
    mdm_cuda_late_close(&m->late);
    (void)cudaGetLastError();
    (void)pthread_mutex_destroy(&m->stream);
    (void)pthread_mutex_destroy(&m->lane);
    (void)pthread_mutex_destroy(&m->ring);
    d->host->free(m);
    d->memory = NULL;
}
