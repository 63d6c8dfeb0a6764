/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Several processes that train one model: each has a part of every batch, and all have the same weights.
 *
 *     maskdm_comm_open(&comm, "mpi", NULL);           // every process of an mpirun
 *     maskdm_trainer_set_comm(trainer, comm);         // or, for a whole run, maskdm_control_set_comm()
 *     maskdm_trainer_step(trainer, data);             // in every process
 *
 * N processes have ranks 0 to N - 1. What is called collective is called by all of them, in the same order; whoever
 * comes late is waited for. One that ends, or fails, or does something else ends the wait of the others with a
 * failure and a line.
 *
 * Thread safety: a communicator belongs to one thread at a time. A trainer or run that has one works with it.
 */
#ifndef MASKDM_COMM_H
#define MASKDM_COMM_H

#include <maskdm/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_comm maskdm_comm;

/**
 * Join the other processes. name: "self", this process alone; "mpi", those of MPI's world. Collective.
 * options: kind "comm" (module, patience), or NULL for the defaults.
 *
 * MPI is in a module, a file that is loaded here and stays loaded: the option `module`, or where the library is
 * installed; MASKDM_ENOTSUP where there is none, MASKDM_ENOTFOUND where it, or MPI itself, cannot be loaded,
 * MASKDM_EVERSION for a module, or another rank, of another release. Where the host has not begun MPI it is begun
 * here and ended with the last reference, and MPI allows that once for a process: a host that wants several
 * communicators, one after the other, begins MPI itself. The communicator is a duplicate of MPI_COMM_WORLD. With
 * MPI_THREAD_SERIALIZED or more a thread of ours tells the others four times a minute or more that this process is
 * there, whatever it is busy with.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_comm_open(maskdm_comm **out, const char *name, const maskdm_options *options);
/** With the last reference the others are told that this process leaves; it waits for them where all is well. */
MASKDM_API void maskdm_comm_release(maskdm_comm **comm);

/** From 0. */
MASKDM_API int64_t maskdm_comm_rank(const maskdm_comm *comm);
/** How many processes there are, at least 1. */
MASKDM_API int64_t maskdm_comm_size(const maskdm_comm *comm);
/** The rank that went away, after a failure because of that; -1: none did. */
MASKDM_API int64_t maskdm_comm_lost(const maskdm_comm *comm);
/** One line: what carries it, in which version, rank and size. Lives as long as the communicator. */
MASKDM_API const char *maskdm_comm_description(const maskdm_comm *comm);

/**
 * Replace each of `count` values (the same number in every process) by its sum over the processes, for loops of one's
 * own: maskdm_trainer_gradient(), this, maskdm_trainer_set_gradient(). Collective. The order of the sum is fixed:
 * that of ranks a to b is that of the first half of them plus that of the second, the first being the smaller where
 * they are odd, each rounded to float; all processes get the same bits.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_comm_sum(maskdm_comm *comm, float *values, int64_t count);

#ifdef __cplusplus
}
#endif

#endif
