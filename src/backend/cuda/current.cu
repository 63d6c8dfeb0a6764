/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The device's context and threads. CUDA's current device is a thread's, and the host's as much as ours:
 * cudaSetDevice() would leave it changed, and setting it back would make a context on a device that the host never
 * touched. The driver has a stack for this, and the run time follows it.
 */
#include "backend/cuda/current.cuh"

#ifdef MDM_CUDA_EMULATED

int mdm_cuda_context_open(struct mdm_cuda *d)
{
    (void)d;
    return MASKDM_OK;
}

void mdm_cuda_context_close(struct mdm_cuda *d)
{
    (void)d;
}

int mdm_cuda_push(struct mdm_cuda *d)
{
    (void)d;
    return 1;
}

void mdm_cuda_pop(struct mdm_cuda *d)
{
    (void)d;
}

#else

#    include <cuda.h>
#    include <string.h>

/* Of the driver, which the run time found: linking it would ask for it where the module is built. */
struct mdm_cuda_context {
    CUcontext context;
    CUdevice device;
    CUresult (*retain)(CUcontext *out, CUdevice device);
    CUresult (*release)(CUdevice device);
    CUresult (*push)(CUcontext context);
    CUresult (*pop)(CUcontext *out);
};

static int find(struct mdm_cuda *d, const char *name, void *function)
{
    cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
    void *p = NULL;

#    if CUDART_VERSION >= 12050
    MDM_CUDA_TRY(
        mdm_cuda_check(d, cudaGetDriverEntryPointByVersion(name, &p, 11000, cudaEnableDefault, &found), name));
#    else
    MDM_CUDA_TRY(mdm_cuda_check(d, cudaGetDriverEntryPoint(name, &p, cudaEnableDefault, &found), name));
#    endif
    if (found != cudaDriverEntryPointSuccess || !p)
        return d->host->record(MASKDM_ENOTSUP, "the CUDA driver has no %s()", name);
    memcpy(function, &p, sizeof p);
    return MASKDM_OK;
}

int mdm_cuda_context_open(struct mdm_cuda *d)
{
    struct mdm_cuda_context *c = (struct mdm_cuda_context *)d->host->need(1, sizeof *c, "the device");

    if (!c)
        return MASKDM_ENOMEM;
    d->context = c;
    MDM_CUDA_TRY(find(d, "cuDevicePrimaryCtxRetain", &c->retain));
    MDM_CUDA_TRY(find(d, "cuDevicePrimaryCtxRelease", &c->release));
    MDM_CUDA_TRY(find(d, "cuCtxPushCurrent", &c->push));
    MDM_CUDA_TRY(find(d, "cuCtxPopCurrent", &c->pop));
    c->device = d->unit;
    switch (c->retain(&c->context, c->device)) {
    case CUDA_SUCCESS:
        return MASKDM_OK;
    case CUDA_ERROR_OUT_OF_MEMORY:
        return d->host->record(MASKDM_ENOMEM, "cuda:%d has no room for a context", d->unit);
    default:
        c->context = NULL;
        return d->host->record(MASKDM_EDEVICE,
                               "cuda:%d gives this process no context; others may have it for "
                               "themselves",
                               d->unit);
    }
}

void mdm_cuda_context_close(struct mdm_cuda *d)
{
    struct mdm_cuda_context *c = d->context;

    if (c && c->context)
        (void)c->release(c->device);
    d->host->free(c);
    d->context = NULL;
}

int mdm_cuda_push(struct mdm_cuda *d)
{
    return d->context && d->context->context && d->context->push(d->context->context) == CUDA_SUCCESS;
}

void mdm_cuda_pop(struct mdm_cuda *d)
{
    CUcontext ours;

    (void)d->context->pop(&ours);
}

#endif
