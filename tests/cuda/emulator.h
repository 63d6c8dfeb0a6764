/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernels on the CPU: the .cu files of src/backend/cuda/ are compiled by the C++ compiler against the headers in
 * include/, and every block's threads run as fibers that take turns where they meet, on the calling thread of the
 * host. The order of blocks and threads comes from MASKDM_EMULATED_ORDER: forward (as they are numbered), reverse, or
 * a number above 0, which shuffles; a barrier that is missing shows in one of them.
 */
#ifndef MASKDM_TESTS_CUDA_EMULATOR_H
#define MASKDM_TESTS_CUDA_EMULATOR_H

#include <cuda_runtime.h>

#include <functional>

enum { MDM_EMULATED_SHARED = 227 * 1024, MDM_EMULATED_PROCESSORS = 3, MDM_EMULATED_MOST_THREADS = 1024 };

[[noreturn]] void mdm_emulated_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One grid, at once; `kernel` is for messages. */
void mdm_emulated_run(dim3 grid, dim3 block, size_t shared, const void *kernel, const std::function<void()> &thread);
/* What is no kernel, on a stream among them. */
cudaError_t mdm_emulated_put(cudaStream_t s, std::function<void()> work);

/* fiber.cpp: a stack of its own that begins with `body`, which never returns; switching leaves the present one in
 * *save.
 */
struct mdm_fiber {
    void *stack; /* the mapping */
    void *at;
};
void mdm_fiber_make(mdm_fiber *f, void (*body)(void));
void mdm_fiber_reset(mdm_fiber *f, void (*body)(void)); /* from the beginning, on the same stack */
void mdm_fiber_switch(mdm_fiber *save, mdm_fiber *to);
void mdm_fiber_began(void); /* a body calls it first */

#endif
