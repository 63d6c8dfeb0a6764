/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of kernel calls as CUDA graphs. While they are noted, the stream can do nothing else, so that other threads
 * wait with what they want of it.
 */
#include "backend/cuda/memory.cuh"
#include "backend/cuda/table.cuh"

int mdm_cuda_record(struct mdm_backend *b)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    int status;

    mdm_cuda_note_begin(d);
    status = mdm_cuda_check(d, cudaStreamBeginCapture(d->stream, cudaStreamCaptureModeThreadLocal),
                            "noting a list of calls");
    if (status < 0)
        mdm_cuda_note_end(d);
    return status;
}

int mdm_cuda_recorded(struct mdm_backend *b, void **out)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    cudaGraphExec_t exec = NULL;
    cudaGraph_t graph = NULL;
    cudaError_t e = cudaStreamEndCapture(d->stream, &graph);

    if (e == cudaSuccess && graph)
        e = cudaGraphInstantiate(&exec, graph, 0);
    if (graph)
        (void)cudaGraphDestroy(graph);
    mdm_cuda_note_end(d);
    (void)cudaGetLastError();
    *out = e == cudaSuccess ? exec : NULL;
    return MASKDM_OK;
}

int mdm_cuda_play(struct mdm_backend *b, void *recording)
{
    struct mdm_cuda *d = mdm_cuda_of(b);

    return mdm_cuda_check(d, cudaGraphLaunch((cudaGraphExec_t)recording, d->stream), "playing a list of calls");
}

void mdm_cuda_forget(struct mdm_backend *b, void *recording)
{
    struct mdm_cuda *d = mdm_cuda_of(b);

    if (!recording || !mdm_cuda_is_here(d))
        return;
    (void)mdm_cuda_wait(b);
    mdm_cuda_here here(d);
    const int locked = mdm_cuda_lock(d);

    (void)cudaGraphExecDestroy((cudaGraphExec_t)recording);
    (void)cudaGetLastError();
    mdm_cuda_unlock(d, locked);
}
