/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Transfers. All of them are ordered as if they were queued in the main stream where they are called, whichever
 * thread that is, so that memory may go from hand to hand without a word to the device.
 */
#include "backend/cuda/memory.cuh"
#include "backend/cuda/table.cuh"

static int upload_mine(struct mdm_cuda *d, void *device, const void *host, size_t bytes)
{
    return bytes <= MDM_CUDA_SMALL ? mdm_cuda_ring_upload(d, &d->memory->my_ring, device, host, bytes)
                                   : mdm_cuda_lane_upload(d, &d->memory->my_lane, device, host, bytes);
}

/* What is large may wait for long, and what is small does not wait for it. */
static int upload_theirs(struct mdm_cuda *d, void *device, const void *host, size_t bytes)
{
    struct mdm_cuda_memory *m = d->memory;
    pthread_mutex_t *const mutex = bytes <= MDM_CUDA_SMALL ? &m->ring : &m->lane;
    int status;

    (void)pthread_mutex_lock(mutex);
    status = bytes <= MDM_CUDA_SMALL ? mdm_cuda_ring_upload(d, &m->their_ring, device, host, bytes)
                                     : mdm_cuda_lane_upload(d, &m->their_lane, device, host, bytes);
    (void)pthread_mutex_unlock(mutex);
    return status;
}

int mdm_cuda_upload(struct mdm_backend *b, void *device, const void *host, size_t bytes)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    mdm_cuda_here here(d);

    if (bytes == 0)
        return MASKDM_OK;
    return mdm_cuda_is_mine(d) ? upload_mine(d, device, host, bytes) : upload_theirs(d, device, host, bytes);
}

static int download_mine(struct mdm_cuda *d, void *host, const void *device, size_t bytes)
{
    return bytes <= MDM_CUDA_SMALL ? mdm_cuda_ring_download(d, &d->memory->my_ring, host, device, bytes)
                                   : mdm_cuda_lane_download(d, &d->memory->my_lane, host, device, bytes);
}

int mdm_cuda_download(struct mdm_backend *b, void *host, const void *device, size_t bytes)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    mdm_cuda_here here(d);
    int status;

    if (bytes == 0)
        return MASKDM_OK;
    if (mdm_cuda_is_mine(d))
        return download_mine(d, host, device, bytes);
    (void)pthread_mutex_lock(&d->memory->lane);
    status = mdm_cuda_lane_download(d, &d->memory->their_lane, host, device, bytes);
    (void)pthread_mutex_unlock(&d->memory->lane);
    return status;
}

int mdm_cuda_copy(struct mdm_backend *b, void *to, const void *from, size_t bytes)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    mdm_cuda_here here(d);
    const int locked = mdm_cuda_lock(d);
    cudaError_t e = bytes ? cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, d->stream) : cudaSuccess;

    mdm_cuda_unlock(d, locked);
    return mdm_cuda_check(d, e, "copying");
}

int mdm_cuda_fill(struct mdm_backend *b, void *device, int byte, size_t bytes)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    mdm_cuda_here here(d);
    const int locked = mdm_cuda_lock(d);
    cudaError_t e = bytes ? cudaMemsetAsync(device, byte, bytes, d->stream) : cudaSuccess;

    mdm_cuda_unlock(d, locked);
    return mdm_cuda_check(d, e, "filling memory");
}

int mdm_cuda_wait(struct mdm_backend *b)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    mdm_cuda_here here(d);
    const int locked = mdm_cuda_lock(d);
    cudaError_t e = cudaStreamSynchronize(d->stream);

    mdm_cuda_unlock(d, locked);
    return mdm_cuda_check(d, e, "waiting");
}

/* ---- of jobs, which run in the turn ---- */

int mdm_cuda_give(struct mdm_cuda *d, int slot, const void *host, size_t bytes, void **out)
{
    MDM_CUDA_TRY(mdm_cuda_scratch(d, slot, bytes, out));
    return bytes ? upload_mine(d, *out, host, bytes) : MASKDM_OK;
}

int mdm_cuda_fetch(struct mdm_cuda *d, void *host, const void *device, size_t bytes)
{
    return bytes ? download_mine(d, host, device, bytes) : mdm_cuda_wait(&d->base);
}
