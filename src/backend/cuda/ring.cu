/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Small transfers: the numbers of jobs, what a program is told. Uploads wait for nothing until the ring has come
 * round to work that the device has not done yet; downloads are those of whoever has the turn.
 */
#include "backend/cuda/memory.cuh"

#include <string.h>

static const size_t ALIGNED = 64;

static int open_parts(struct mdm_cuda *d, struct mdm_cuda_ring *r)
{
    void *host;

    if (!r->host) {
        MDM_CUDA_TRY(mdm_cuda_take_pinned(d, &host, (size_t)(MDM_CUDA_SEGMENTS + 1) * MDM_CUDA_SMALL));
        r->host = (unsigned char *)host;
    }
    for (int i = 0; i < MDM_CUDA_SEGMENTS; i++)
        if (!r->read[i])
            MDM_CUDA_TRY(mdm_cuda_make_event(d, &r->read[i], 0));
    r->ready = 1;
    return MASKDM_OK;
}

/* Goes on where it failed before. */
static int open_ring(struct mdm_cuda *d, struct mdm_cuda_ring *r)
{
    int locked, status;

    if (r->ready)
        return MASKDM_OK;
    locked = mdm_cuda_lock(d);
    status = open_parts(d, r);
    mdm_cuda_unlock(d, locked);
    return status;
}

void mdm_cuda_ring_close(struct mdm_cuda_ring *r)
{
    (void)cudaFreeHost(r->host);
    for (int i = 0; i < MDM_CUDA_SEGMENTS; i++)
        if (r->read[i])
            (void)cudaEventDestroy(r->read[i]);
}

/* To the next segment, when it has been read. */
static cudaError_t turn_round(struct mdm_cuda *d, struct mdm_cuda_ring *r)
{
    const int locked = mdm_cuda_lock(d);
    cudaError_t e = cudaEventRecord(r->read[r->segment], d->stream);

    mdm_cuda_unlock(d, locked);
    r->segment = (r->segment + 1) % MDM_CUDA_SEGMENTS;
    r->used = 0;
    return e == cudaSuccess ? cudaEventSynchronize(r->read[r->segment]) : e;
}

int mdm_cuda_ring_upload(struct mdm_cuda *d, struct mdm_cuda_ring *r, void *device, const void *host, size_t bytes)
{
    unsigned char *at;
    cudaError_t e;
    int locked;

    MDM_CUDA_TRY(open_ring(d, r));
    e = r->used + bytes > MDM_CUDA_SMALL ? turn_round(d, r) : cudaSuccess;
    if (e != cudaSuccess)
        return mdm_cuda_check(d, e, "an upload");
    at = r->host + (size_t)r->segment * MDM_CUDA_SMALL + r->used;
    memcpy(at, host, bytes);
    r->used += (bytes + ALIGNED - 1) / ALIGNED * ALIGNED;
    locked = mdm_cuda_lock(d);
    e = cudaMemcpyAsync(device, at, bytes, cudaMemcpyHostToDevice, d->stream);
    mdm_cuda_unlock(d, locked);
    return mdm_cuda_check(d, e, "an upload");
}

int mdm_cuda_ring_download(struct mdm_cuda *d, struct mdm_cuda_ring *r, void *host, const void *device, size_t bytes)
{
    unsigned char *at;
    cudaError_t e;

    MDM_CUDA_TRY(open_ring(d, r));
    at = r->host + (size_t)MDM_CUDA_SEGMENTS * MDM_CUDA_SMALL;
    e = cudaMemcpyAsync(at, device, bytes, cudaMemcpyDeviceToHost, d->stream);
    if (e == cudaSuccess)
        e = cudaStreamSynchronize(d->stream);
    if (e == cudaSuccess)
        memcpy(host, at, bytes);
    return mdm_cuda_check(d, e, "a download");
}
