/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Small transfers of whoever has the turn: the numbers of jobs. Uploads wait for nothing until the ring has come
 * round to work that the device has not done yet.
 */
#include "backend/cuda/memory.cuh"

#include <string.h>

static const size_t ALIGNED = 64;

int mdm_cuda_ring_open(struct mdm_cuda *d, struct mdm_cuda_ring *r)
{
    void *host;

    MDM_CUDA_TRY(mdm_cuda_take_pinned(d, &host, (size_t)(MDM_CUDA_SEGMENTS + 1) * MDM_CUDA_SMALL));
    r->host = (unsigned char *)host;
    for (int i = 0; i < MDM_CUDA_SEGMENTS; i++)
        MDM_CUDA_TRY(mdm_cuda_make_event(d, &r->read[i], 0));
    return MASKDM_OK;
}

void mdm_cuda_ring_close(struct mdm_cuda_ring *r)
{
    (void)cudaFreeHost(r->host);
    for (int i = 0; i < MDM_CUDA_SEGMENTS; i++)
        if (r->read[i])
            (void)cudaEventDestroy(r->read[i]);
}

static cudaError_t turn_round(struct mdm_cuda *d, struct mdm_cuda_ring *r)
{
    cudaError_t e = cudaEventRecord(r->read[r->segment], d->stream);

    r->segment = (r->segment + 1) % MDM_CUDA_SEGMENTS;
    r->used = 0;
    return e == cudaSuccess ? cudaEventSynchronize(r->read[r->segment]) : e;
}

int mdm_cuda_ring_upload(struct mdm_cuda *d, struct mdm_cuda_ring *r, void *device, const void *host, size_t bytes)
{
    cudaError_t e = r->used + bytes > MDM_CUDA_SMALL ? turn_round(d, r) : cudaSuccess;
    unsigned char *at = r->host + (size_t)r->segment * MDM_CUDA_SMALL + r->used;

    if (e == cudaSuccess) {
        memcpy(at, host, bytes);
        r->used += (bytes + ALIGNED - 1) / ALIGNED * ALIGNED;
        e = cudaMemcpyAsync(device, at, bytes, cudaMemcpyHostToDevice, d->stream);
    }
    return mdm_cuda_check(d, e, "an upload");
}

int mdm_cuda_ring_download(struct mdm_cuda *d, struct mdm_cuda_ring *r, void *host, const void *device, size_t bytes)
{
    unsigned char *at = r->host + (size_t)MDM_CUDA_SEGMENTS * MDM_CUDA_SMALL;
    cudaError_t e = cudaMemcpyAsync(at, device, bytes, cudaMemcpyDeviceToHost, d->stream);

    if (e == cudaSuccess)
        e = cudaStreamSynchronize(d->stream);
    if (e == cudaSuccess)
        memcpy(host, at, bytes);
    return mdm_cuda_check(d, e, "a download");
}
