/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Large transfers. A caller's buffer is free again on return, so that all data goes through pinned memory, which is
 * also what the bus is fast from.
 *
 * An upload crosses the bus beside the main stream's work, into memory of its own, and is put where it belongs by a
 * copy within the device, in the main stream's order: a buffer may be filled while a step that used it is still being
 * worked on, and the steps lose no more than that copy.
 */
#include "backend/cuda/memory.cuh"

#include <string.h>

static int open_parts(struct mdm_cuda *d, struct mdm_cuda_lane *l)
{
    void *host;

    if (!l->stream)
        MDM_CUDA_TRY(
            mdm_cuda_check(d, cudaStreamCreateWithFlags(&l->stream, cudaStreamNonBlocking), "making a stream"));
    if (!l->asked)
        MDM_CUDA_TRY(mdm_cuda_make_event(d, &l->asked, l->waits));
    for (int i = 0; i < MDM_CUDA_PIECES; i++) {
        if (!l->piece[i].crossed)
            MDM_CUDA_TRY(mdm_cuda_make_event(d, &l->piece[i].crossed, l->waits));
        if (l->piece[i].host)
            continue;
        MDM_CUDA_TRY(mdm_cuda_take_pinned(d, &host, MDM_CUDA_PIECE));
        l->piece[i].host = (unsigned char *)host;
    }
    for (int i = 0; i < MDM_CUDA_STAGES; i++)
        if (!l->stage[i].put)
            MDM_CUDA_TRY(mdm_cuda_make_event(d, &l->stage[i].put, l->waits));
    l->ready = 1;
    return MASKDM_OK;
}

/* Goes on where it failed before. */
static int open_lane(struct mdm_cuda *d, struct mdm_cuda_lane *l)
{
    int locked, status;

    if (l->ready)
        return MASKDM_OK;
    locked = mdm_cuda_lock(d);
    status = open_parts(d, l);
    mdm_cuda_unlock(d, locked);
    return status;
}

void mdm_cuda_lane_close(struct mdm_cuda_lane *l)
{
    for (int i = 0; i < MDM_CUDA_PIECES; i++) {
        (void)cudaFreeHost(l->piece[i].host);
        if (l->piece[i].crossed)
            (void)cudaEventDestroy(l->piece[i].crossed);
    }
    for (int i = 0; i < MDM_CUDA_STAGES; i++) {
        (void)cudaFree(l->stage[i].device);
        if (l->stage[i].put)
            (void)cudaEventDestroy(l->stage[i].put);
    }
    if (l->asked)
        (void)cudaEventDestroy(l->asked);
    if (l->stream)
        (void)cudaStreamDestroy(l->stream);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The next piece, when it is free. */
static cudaError_t next_piece(struct mdm_cuda_lane *l, struct mdm_cuda_piece **out)
{
    *out = &l->piece[l->next_piece++ % MDM_CUDA_PIECES];
    return cudaEventSynchronize((*out)->crossed);
}

/* Room for `bytes`, or for a piece where the device is nearly full. */
static void grow(struct mdm_cuda_stage *s, size_t bytes)
{
    const size_t wanted[] = {(size_t)mdm_cuda_pieces((int64_t)bytes, MDM_CUDA_PIECE) * MDM_CUDA_PIECE,
                             MDM_CUDA_PIECE};
    void *memory = NULL;

    (void)cudaFree(s->device);
    s->bytes = 0;
    for (size_t i = 0; i < 2 && !s->bytes; i++)
        if (cudaMalloc(&memory, wanted[i]) == cudaSuccess)
            s->bytes = wanted[i];
    s->device = (unsigned char *)(s->bytes ? memory : NULL);
    (void)cudaGetLastError();
}

/* A stage with some room, for `bytes` if that can be had. */
static int next_stage(struct mdm_cuda *d, struct mdm_cuda_lane *l, size_t bytes, struct mdm_cuda_stage **out)
{
    struct mdm_cuda_stage *s = &l->stage[l->next_stage++ % MDM_CUDA_STAGES];
    int locked;

    *out = s;
    if (s->bytes >= bytes)
        return MASKDM_OK;
    MDM_CUDA_TRY(mdm_cuda_check(d, cudaEventSynchronize(s->put), "an upload"));
    locked = mdm_cuda_lock(d);
    grow(s, bytes);
    mdm_cuda_unlock(d, locked);
    for (int i = 0; i < MDM_CUDA_STAGES && !(*out)->bytes; i++)
        *out = &l->stage[i];
    return (*out)->bytes ? MASKDM_OK : mdm_cuda_no_room(d, MDM_CUDA_PIECE, "transfers");
}

/* While one piece crosses, the next is written. */
static cudaError_t cross(struct mdm_cuda_lane *l, struct mdm_cuda_stage *s, const unsigned char *host, size_t bytes,
                         struct mdm_cuda_piece **last)
{
    cudaError_t e = cudaStreamWaitEvent(l->stream, s->put, 0);

    for (size_t at = 0; e == cudaSuccess && at < bytes; at += MDM_CUDA_PIECE) {
        const size_t n = least(bytes - at, MDM_CUDA_PIECE);
        e = next_piece(l, last);
        if (e != cudaSuccess)
            break;
        memcpy((*last)->host, host + at, n);
        e = cudaMemcpyAsync(s->device + at, (*last)->host, n, cudaMemcpyHostToDevice, l->stream);
        if (e == cudaSuccess)
            e = cudaEventRecord((*last)->crossed, l->stream);
    }
    return e;
}

/* Another thread than that of the turn waits until all has crossed: otherwise steps that are being queued meanwhile
 * would have to. */
static cudaError_t put(struct mdm_cuda *d, struct mdm_cuda_lane *l, struct mdm_cuda_stage *s,
                       struct mdm_cuda_piece *last, void *device, size_t bytes)
{
    cudaError_t e = l->waits ? cudaEventSynchronize(last->crossed) : cudaSuccess;
    int locked;

    if (e != cudaSuccess)
        return e;
    locked = mdm_cuda_lock(d);
    e = cudaStreamWaitEvent(d->stream, last->crossed, 0);
    if (e == cudaSuccess)
        e = cudaMemcpyAsync(device, s->device, bytes, cudaMemcpyDeviceToDevice, d->stream);
    if (e == cudaSuccess)
        e = cudaEventRecord(s->put, d->stream);
    mdm_cuda_unlock(d, locked);
    return e;
}

int mdm_cuda_lane_upload(struct mdm_cuda *d, struct mdm_cuda_lane *l, void *device, const void *host, size_t bytes)
{
    struct mdm_cuda_stage *s;
    struct mdm_cuda_piece *last = NULL;

    MDM_CUDA_TRY(open_lane(d, l));
    for (size_t at = 0, n; at < bytes; at += n) {
        cudaError_t e;
        n = least(bytes - at, MDM_CUDA_STAGE);
        MDM_CUDA_TRY(next_stage(d, l, n, &s));
        n = least(n, s->bytes);
        e = cross(l, s, (const unsigned char *)host + at, n, &last);
        if (e == cudaSuccess)
            e = put(d, l, s, last, (unsigned char *)device + at, n);
        MDM_CUDA_TRY(mdm_cuda_check(d, e, "an upload"));
    }
    return MASKDM_OK;
}

/* What a piece brought, when it is there. */
static cudaError_t take(struct mdm_cuda_piece *p, unsigned char *host, size_t bytes)
{
    cudaError_t e = cudaEventSynchronize(p->crossed);

    if (e == cudaSuccess)
        memcpy(host, p->host, bytes);
    return e;
}

/* While one piece is read, the next crosses. */
static cudaError_t fetch(struct mdm_cuda_lane *l, unsigned char *host, const unsigned char *device, size_t bytes)
{
    struct mdm_cuda_piece *p, *before = NULL;
    cudaError_t e = cudaStreamWaitEvent(l->stream, l->asked, 0);
    size_t at;

    for (at = 0; e == cudaSuccess && at < bytes; at += MDM_CUDA_PIECE) {
        e = next_piece(l, &p);
        if (e == cudaSuccess)
            e = cudaMemcpyAsync(p->host, device + at, least(bytes - at, MDM_CUDA_PIECE), cudaMemcpyDeviceToHost,
                                l->stream);
        if (e == cudaSuccess)
            e = cudaEventRecord(p->crossed, l->stream);
        if (e == cudaSuccess && before)
            e = take(before, host + at - MDM_CUDA_PIECE, MDM_CUDA_PIECE);
        before = p;
    }
    return e == cudaSuccess ? take(before, host + at - MDM_CUDA_PIECE, bytes - (at - MDM_CUDA_PIECE)) : e;
}

int mdm_cuda_lane_download(struct mdm_cuda *d, struct mdm_cuda_lane *l, void *host, const void *device, size_t bytes)
{
    cudaError_t e;
    int locked;

    MDM_CUDA_TRY(open_lane(d, l));
    locked = mdm_cuda_lock(d);
    e = cudaEventRecord(l->asked, d->stream);
    mdm_cuda_unlock(d, locked);
    if (e == cudaSuccess)
        e = fetch(l, (unsigned char *)host, (const unsigned char *)device, bytes);
    return mdm_cuda_check(d, e, "a download");
}
