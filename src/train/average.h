/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An average of another width, made afterwards of snapshots of those that were kept (average.c), and snapshots
 * (snapshot.c).
 */
#ifndef MASKDM_TRAIN_AVERAGE_H
#define MASKDM_TRAIN_AVERAGE_H

#include "train/trainer.h"

/* A profile: the weights of a power function of deviation `std` over the updates up to `at`. */
struct mdm_profile {
    double at, std;
};

enum { MDM_SNAPSHOTS_MOST = 4096 };

/* MASKDM_EINVAL for a deviation that no profile has here. */
int mdm_average_check(double std);

/* The factors with which `count` profiles come nearest to another; they sum to 1. *off (may be NULL): how far they
 * stay away, as a share of its norm. MASKDM_EINVAL for a profile that is none and for two that are the same. */
int mdm_average_solve(const struct mdm_profile *in, int64_t count, struct mdm_profile wanted, double *factors,
                      double *off);

/* ---- snapshot.c ---- */
#define MDM_SNAPSHOT_HEAD "average-"
#define MDM_SNAPSHOT_TAIL ".safetensors"
/* average-STEP-STD.safetensors of every width into a folder, model files with a digest that say what they are, of
 * type mdm_narrow_dtype(dtype). MASKDM_EINVAL, with the tensor, where that does not hold a value, and for averages
 * that have no profile. */
int mdm_trainer_snapshot(maskdm_trainer *tr, const char *folder, int dtype);

struct mdm_tensorfile;
struct mdm_snapshot {
    struct mdm_profile profile;
    int64_t step, first; /* of the run; the step at which its average began */
};
/* MASKDM_EFORMAT for what is no snapshot. */
int mdm_snapshot_read(struct mdm_snapshot *out, const struct mdm_tensorfile *s);

#endif
