/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Results that are taken when they are there, by a host that has something else to do meanwhile.
 */
#include "backend/cuda/memory.cuh"
#include "backend/cuda/table.cuh"

#include <string.h>

static int make_room(struct mdm_cuda *d, struct mdm_cuda_late *l, size_t bytes)
{
    void *host;

    if (!l->there)
        MDM_CUDA_TRY(mdm_cuda_make_event(d, &l->there, 0));
    if (bytes <= l->room)
        return MASKDM_OK;
    MDM_CUDA_TRY(mdm_cuda_check(d, cudaEventSynchronize(l->there), "a download"));
    (void)cudaFreeHost(l->host);
    l->host = NULL;
    l->room = 0;
    MDM_CUDA_TRY(mdm_cuda_take_pinned(d, &host, bytes));
    l->host = (unsigned char *)host;
    l->room = bytes;
    return MASKDM_OK;
}

int mdm_cuda_later(struct mdm_cuda *d, const void *device, size_t bytes)
{
    struct mdm_cuda_late *l = &d->memory->late;
    cudaError_t e;

    MDM_CUDA_TRY(make_room(d, l, bytes));
    e = cudaMemcpyAsync(l->host, device, bytes, cudaMemcpyDeviceToHost, d->stream);
    if (e == cudaSuccess)
        e = cudaEventRecord(l->there, d->stream);
    return mdm_cuda_check(d, e, "a download");
}

int mdm_cuda_collect(struct mdm_backend *b, double *loss, int64_t batch)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct mdm_cuda_late *l = &d->memory->late;

    MDM_CUDA_TRY(mdm_cuda_check(d, cudaEventSynchronize(l->there), "a download"));
    memcpy(loss, l->host, (size_t)batch * sizeof *loss);
    return MASKDM_OK;
}

void mdm_cuda_late_close(struct mdm_cuda_late *l)
{
    (void)cudaFreeHost(l->host);
    if (l->there)
        (void)cudaEventDestroy(l->there);
}
