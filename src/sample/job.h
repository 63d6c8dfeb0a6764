/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A call that draws images, and what its parts share: where noise comes from, what happens between steps.
 */
#ifndef MASKDM_SAMPLE_JOB_H
#define MASKDM_SAMPLE_JOB_H

#include "sample/sampler.h"
#include "sample/walk.h"

struct mdm_job {
    int64_t count, n; /* images, values of one */
    struct mdm_seeds seeds;
    const int32_t *labels; /* NULL: all null */
    const float *noise;    /* given noise, draws x count x n; NULL: drawn */
    int64_t drawn;         /* by the group */
    int64_t each;          /* evaluations of a group */
    int64_t done, all;     /* of all groups together */
    double began;          /* seconds */
    int64_t first, batch;  /* the group */
    struct mdm_walk walk;  /* where it is on its way */
    int64_t evaluation;    /* of the group, from 0; one that is done again has a number of its own */
};

/* ---- noise.c: normals of the group's own streams ---- */
/* Image i's seed, or the nearer of the two that it stands between, for what is not noise. */
uint64_t mdm_job_seed(const maskdm_sampler *s, const struct mdm_job *j, int64_t i);
/* Image i of the group alone, into host memory. */
void mdm_job_normals(const maskdm_sampler *s, const struct mdm_job *j, int64_t i, enum mdm_purpose purpose,
                     int64_t step, float *out);
/* All of them, into device memory. The device is entered. */
int mdm_job_draw(maskdm_sampler *s, const struct mdm_job *j, enum mdm_purpose purpose, int64_t step, float *out);
/* What a step needs, into s->spare: drawn, or the next of what was given. The device is entered. */
int mdm_job_noise(maskdm_sampler *s, struct mdm_job *j, int64_t step);

/* ---- between.c: no device is entered ---- */
/* x stands before `step`, which may be the one behind the last: hold the known pixels, show it to the host. */
int mdm_job_between(maskdm_sampler *s, struct mdm_job *j, int64_t step);
/* Before another evaluation of the step that is under way: hold the known pixels at a level. */
int mdm_job_within(maskdm_sampler *s, struct mdm_job *j, struct mdm_level at);
/* From before `step` back to before an earlier one, by new noise. */
int mdm_job_back(maskdm_sampler *s, struct mdm_job *j, int64_t step, int64_t earlier);

#endif
