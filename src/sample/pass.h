/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One pass of a network over what a denoiser is asked. What comes of it stands in the program.
 */
#ifndef MASKDM_SAMPLE_PASS_H
#define MASKDM_SAMPLE_PASS_H

#include "model/program.h"
#include "sample/denoiser.h"

struct mdm_pass {
    maskdm_model *model;
    enum maskdm_weights which;
    maskdm_control *control;
    double *times; /* [R] of as many rows as a program has at most; NULL: none were taken */
    int32_t *labels;
};

/* Holds model and control. */
struct mdm_pass mdm_pass_of(maskdm_model *model, enum maskdm_weights which, maskdm_control *control);
void mdm_pass_end(struct mdm_pass *pass);
int mdm_pass_take(struct mdm_pass *pass, int64_t rows);
void mdm_pass_rest(struct mdm_pass *pass);
/* Run a program whose rows are the images asked for, or several times these: row k B + b is image b. index, keep: as
 * mdm_program_set() takes them. then() carries away what stands in the program; the device is entered meanwhile. */
int mdm_pass_run(struct mdm_pass *pass, struct mdm_program *p, const struct mdm_question *q, const int32_t *index,
                 const int32_t *keep, int (*then)(void *user, struct mdm_program *p, float *out), void *user,
                 float *out);

#endif
