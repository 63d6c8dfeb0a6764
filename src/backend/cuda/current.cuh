/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which device is a thread's current one, and which thread has the turn.
 */
#ifndef MASKDM_BACKEND_CUDA_CURRENT_CUH
#define MASKDM_BACKEND_CUDA_CURRENT_CUH

#include "backend/cuda/cuda.cuh"

int mdm_cuda_context_open(struct mdm_cuda *d); /* what it made goes with close(), after a failure too */
void mdm_cuda_context_close(struct mdm_cuda *d);
int mdm_cuda_push(struct mdm_cuda *d); /* whether there is something to pop */
void mdm_cuda_pop(struct mdm_cuda *d);

/* Our device is this thread's in a block that has one of these; afterwards the host's is again. */
struct mdm_cuda_here {
    struct mdm_cuda *d;
    int pushed;

    explicit mdm_cuda_here(struct mdm_cuda *d) : d(d), pushed(mdm_cuda_push(d))
    {
    }
    ~mdm_cuda_here()
    {
        if (pushed)
            mdm_cuda_pop(d);
    }
    mdm_cuda_here(const mdm_cuda_here &) = delete;
    mdm_cuda_here &operator=(const mdm_cuda_here &) = delete;
};

#endif
