/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A device: where programs run, with its threads and its memory limit.
 *
 *     maskdm_device *dev;
 *     maskdm_device_open(&dev, "cpu", NULL);          // all cores, no limit
 *     maskdm_device_open(&dev, "cuda:0", NULL);       // the first GPU
 *     maskdm_device_open(&dev, "auto", NULL);         // that where it can be used, else the CPU
 *
 * Thread safety: a device may be shared by handles on several threads; its thread pool then serves one of
 * them at a time, in turn.
 *
 * Floating point: rounding, subnormals and traps are the host's and left alone; worker threads have those of the
 * thread that opened the device. On finite values nothing here raises FE_INVALID, FE_DIVBYZERO or FE_OVERFLOW.
 */
#ifndef MASKDM_DEVICE_H
#define MASKDM_DEVICE_H

#include <maskdm/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_device maskdm_device;

/** What the library wants done. */
typedef void (*maskdm_parallel_body)(void *arg, int64_t i, int worker);
/** Run body(arg, i, worker) for every i in [0, count), in any order, on any threads, and return when all are done.
 *  worker is in [0, workers) and no two calls at the same time share one. */
typedef void (*maskdm_parallel_callback)(void *user, int64_t count, maskdm_parallel_body body, void *arg);

/**
 * Open a device by name: "cpu", "cuda" or "cuda:N", "auto".
 * options: kind "device" (threads, memory_limit, compute, module ...), or NULL for the defaults. `threads=1`
 * starts no thread.
 *
 * A GPU is opened by a module, a file that is loaded here and stays loaded: the option `module`, or where the library
 * is installed. MASKDM_ENOTSUP where there is none, or no driver, MASKDM_ENOTFOUND where it cannot be loaded or there
 * is no such GPU, MASKDM_EVERSION for a module of another release. The calling thread's current CUDA device stays the
 * host's. "auto" takes the first GPU where all that goes well, else the CPU: maskdm_device_description() says why.
 * Option `compute` is the type that networks compute in: float32, on a GPU also tf32 or bfloat16; auto means bfloat16
 * on a GPU. After fork() CUDA is of no use to a child whose parent used it (doc/cuda.md).
 *
 * On a CPU that has both, kernels on AVX-512 are taken, not those on AVX2, but for models that are known to be slower
 * by them; option `instruction_set` says otherwise.
 *
 * Where products are not by kernels of our own (no AVX2, or instruction_set=c), OpenBLAS is loaded here, once for the
 * process, with the threads that it starts itself, and maps memory for each worker. MASKDM_ENOTFOUND where it is not
 * installed; MASKDM_ENOMEM where limits of the process (ulimit -v) leave no room for it.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_device_open(maskdm_device **out, const char *name,
                                                    const maskdm_options *options);
/** As maskdm_device_open("cpu"), with the host's own parallel loop of `workers` workers (1 to 1024) in place of
 *  threads of ours. `parallel_for` must stay callable until the last reference is gone.
 *
 *  A loop that breaks its contract harms nobody: a call with a worker number that is out of range or in use runs
 *  nothing, no index runs twice or out of range, and calls that still run when the loop returns are waited for. The
 *  work then ends with MASKDM_EDEVICE and a sentence; where that was in the middle of an update of weights, the
 *  trainer goes on only from a state that is loaded. From within the loop the device cannot be used: MASKDM_EBUSY on
 *  the thread that called us; other threads wait for their turn, so the loop must not wait for them. No call may come
 *  after the last reference is gone. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_device_open_hosted(maskdm_device **out, const maskdm_options *options,
                                                           maskdm_parallel_callback parallel_for, int64_t workers,
                                                           void *user);
MASKDM_API void maskdm_device_release(maskdm_device **device);

/** Worker count, at least 1. */
MASKDM_API int64_t maskdm_device_threads(const maskdm_device *device);
/** Bytes that handles of this device hold now, the most they ever held, and the limit (0: none). Counts
 *  weights, optimizer state, arenas and image caches. */
MASKDM_API int64_t maskdm_device_memory_used(const maskdm_device *device);
MASKDM_API int64_t maskdm_device_memory_peak(const maskdm_device *device);
MASKDM_API int64_t maskdm_device_memory_limit(const maskdm_device *device);
/** One line: name, instruction set and which wider one would be slower, where products are by BLAS its flavour and
 *  whose kernels it has, threads; of a GPU its name, its memory and what it computes with; and, where "auto" chose,
 *  why. Lives as long as the device. */
MASKDM_API const char *maskdm_device_description(const maskdm_device *device);

#ifdef __cplusplus
}
#endif

#endif
